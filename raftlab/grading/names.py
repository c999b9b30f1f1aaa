"""Names of students, as they write them: Ann, ann, "ann " and A.N.N. are one."""


def plain_name(name: str) -> str:
    """What of a name tells students apart: its letters and numbers, small."""
    return "".join(each for each in name.casefold() if each.isalnum())


def is_one_name(first: str, second: str) -> bool:
    """Whether two names are one, however they are written."""
    return plain_name(first) == plain_name(second)
