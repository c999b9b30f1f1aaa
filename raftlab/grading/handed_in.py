"""What was handed in: which files there are, whose they are, and what is in them.

What is marked is what was read in one go, and no more of it than `LARGEST`; a link, a folder, a
pipe or a device is no submission, and whoever has handed in one is told so. Names are strangers'
words: they are shown without signs that a terminal obeys, and no two submissions have the same one.
"""

import errno
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from raftlab.grading import beside
from raftlab.raft.vocabulary import Misuse, listed, shown
from raftlab.view.words import clean

MOST_FILES = 20
"""How many files of one student's folder are marked: the first ones."""
FOLDER = (
    "a folder is not marked: it cannot be read, its name is too long, or there are more than"
    f" {MOST_FILES} files. Hand in the notebook or the Python file itself"
)
LARGEST = 10_000_000
"""How many bytes of a submission are read."""
SUFFIXES = (".ipynb", ".py")
LONGEST_NAME, LONGEST_FILE = 80, 56
MARKED = re.compile(r"-[0-9a-f]{16}$")
"""How a name ends that is told apart by a digest."""
MOODLE = re.compile(r"(?P<who>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+(?:_|$)")
CANVAS = re.compile(r"(?P<who>[^\W_]+)_(?:LATE_)?(?P<number>\d+)_\d+_")
"""How names begin where all submissions were downloaded: of a folder or a file, and of a file."""
ONCE = os.O_RDONLY | sum(getattr(os, each, 0) for each in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))


class Submission(NamedTuple):
    """A file that was handed in: its unique name in the batch, whose it is, and its modules.

    `beside` are the files in its folder that it imports.
    """

    name: str
    student: str
    path: Path
    beside: tuple[Path, ...] = ()


def submissions_in(paths: Sequence[Path]) -> list[Submission]:
    """The submissions that these files, and the files in these folders, are.

    A folder that is named has the files of many: those of a section, or those that came late.
    Where students have a folder each in it, that says whose a file is, whatever the file is called;
    a file that lies beside those of others is named after its student. A module without answers
    that a file in a student's folder imports belongs to that file. Raises: Misuse.
    """
    if missing := [each for each in paths if not os.path.lexists(each)]:
        raise Misuse(f"there is no submission {shown(str(missing[0]))}")
    root = _root([each.absolute() for each in paths])
    found, modules = _with_modules(_few_of_each(_collected(paths, root)))
    if not found:
        raise Misuse(f"there is no notebook and no Python file in {listed(map(_word, paths))}")
    names = _unique([each.relative_to(root).parts for each in found], [*map(_ending, found)])
    students = _students([_whose(file, folder) for file, folder in found.items()])
    beside = [modules.get(each, ()) for each in found]
    return list(map(Submission, names, students, found, beside))


def _collected(paths: Sequence[Path], root: Path) -> dict[Path, Path]:
    """The files, each with the folder it was named in: the outermost of several, or else `root`."""
    found: dict[Path, Path] = {}
    for path in sorted(paths, key=lambda each: len(each.absolute().parts)):
        folder = path.absolute() if path.is_dir() else root
        for file in _files(path):
            found.setdefault(file.absolute(), folder)
    return found


def _few_of_each(files: Mapping[Path, Path]) -> dict[Path, Path]:
    """The first files of each student's folder, and the folder itself, where it has more."""
    count: Counter[Path] = Counter()
    found = {}
    for file, folder in files.items():
        whose, *inner = file.relative_to(folder).parts
        own = folder / whose
        count[own] += bool(inner)
        if count[own] <= MOST_FILES:
            found[file] = folder
        elif count[own] == MOST_FILES + 1:
            found[own] = folder
    return found


def _with_modules(
    files: Mapping[Path, Path],
) -> tuple[dict[Path, Path], dict[Path, tuple[Path, ...]]]:
    """The same without those that are modules of others, and the modules of each."""
    folders: dict[Path, list[Path]] = {}
    for file, folder in files.items():
        if file.parent != folder:
            folders.setdefault(file.parent, []).append(file)
    modules: dict[Path, tuple[Path, ...]] = {}
    dropped: set[Path] = set()
    for own in folders.values():
        texts = texts_of(own) if len(own) > 1 else {}
        modules |= {each: tuple(beside.modules_of(each, texts)) for each in texts}
        dropped |= beside.only_modules(texts)
    return {each: files[each] for each in files if each not in dropped}, modules


def texts_of(files: Iterable[Path]) -> dict[Path, str]:
    """What is in those of these files that can be read, as text."""
    found = {}
    for each in files:
        with suppress(Misuse):  # it is marked by itself, and told so
            found[each] = content_of(each).decode("utf-8-sig", errors="replace")
    return found


def folders_of_folders(paths: Sequence[Path]) -> list[str]:
    """Those who would be students, and have files in folders of folders: sections, perhaps."""
    root = _root([each.absolute() for each in paths])
    deep = [
        _whose(file, folder)
        for file, folder in _collected(paths, root).items()
        if len(file.relative_to(folder).parts) > 2
    ]
    return [_shown(each) for each in dict.fromkeys(deep)]


def _whose(file: Path, folder: Path) -> str:
    """Whose a file is that lies in the folder that was named, in the words of its name."""
    first, *inner = file.relative_to(folder).parts
    return first if inner else first.removesuffix(_ending(file))


def _students(names: Sequence[str]) -> list[str]:
    """The students that files and folders are named after.

    What Moodle and Canvas put behind them when all is downloaded is left out; where two students
    would have one name by it, their numbers stay.
    """
    read = [_downloaded(each) for each in names]
    numbers: dict[str, set[str]] = {}
    for who, number in read:
        numbers.setdefault(_alike(who), set()).add(number)
    return [
        _shown(who if len(numbers[_alike(who)]) == 1 else f"{who} {number}".strip())
        for who, number in read
    ]


def _downloaded(name: str) -> tuple[str, str]:
    """Who is meant by a name, and the number that Moodle or Canvas gave them, or ""."""
    found = MOODLE.match(name) or CANVAS.match(name)
    return (found["who"], found["number"]) if found else (name, "")


def _ending(path: Path) -> str:
    """What of its name says what is in a file; a folder's name is whole, whatever it ends in."""
    return "" if os.path.isdir(path) else path.suffix


def content_of(path: Path) -> bytes:
    """What is in the file of a submission. Raises: Misuse, if it is none that can be read."""
    try:
        kind = stat.S_IFMT(path.lstat().st_mode)
        if kind == stat.S_IFDIR:
            raise Misuse(FOLDER)
        if kind != stat.S_IFREG:
            what = KINDS.get(kind, "no file")
            raise Misuse(f"the file is {what}: hand in the notebook or the Python file itself")
        with open(os.open(path, ONCE), "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise Misuse(FOLDER if error.errno == errno.ENAMETOOLONG else MISSING) from None
    if len(content) > LARGEST:
        raise Misuse(f"the file has more than {LARGEST:,} bytes: it is no submission")
    if not content.strip():
        raise Misuse("the file is empty")
    return content


MISSING = "the file cannot be read: it is missing, or closed to us"
KINDS = {
    stat.S_IFLNK: "a link to another file",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def file_name(submission: str) -> str:
    """A name for files that any system can hold; different submissions have different ones."""
    safe = re.sub(r"[^a-z0-9_.-]+", "-", submission.lower()).strip("-.")[:LONGEST_FILE]
    if safe and safe == submission:
        return safe
    return f"{safe or 'submission'}-{_digest(submission)}"


def _files(path: Path) -> Iterator[Path]:
    """The files of a folder and of those in it, in order, hidden ones not; or the file itself.

    A folder in it that cannot be read stands for its files: whose it is, is told so.
    """
    if not path.is_dir():
        yield path
        return
    closed: list[OSError] = []
    for folder, inner, names in os.walk(path, onerror=closed.append):
        linked = [each for each in inner if os.path.islink(os.path.join(folder, each))]
        inner[:] = sorted(each for each in inner if each not in linked and _counts(each))
        found = [each for each in names if each.endswith(SUFFIXES)]
        yield from (Path(folder, each) for each in sorted([*found, *linked]) if _counts(each))
    for error in closed:
        if Path(error.filename) == path:
            raise Misuse(f"the folder {shown(str(path))} cannot be read: {error.strerror}")
        yield Path(error.filename)


def _counts(name: str) -> bool:
    return not name.startswith(".")


def _root(paths: Sequence[Path]) -> Path:
    """The folder in which students' folders or files lie: of all that was named, the nearest."""
    folders = [each if each.is_dir() else each.parent for each in paths]
    return Path(os.path.commonpath(folders))


def _unique(parts: Sequence[tuple[str, ...]], suffixes: Sequence[str]) -> list[str]:
    """A name for each file: its folders and itself, with its ending where that tells two apart."""
    whole = ["-".join(each) for each in parts]
    short = [each.removesuffix(end) for each, end in zip(whole, suffixes, strict=True)]
    found = whole
    for names in (whole, short):
        count = Counter(map(_alike, names))
        found = [
            name if count[_alike(name)] == 1 else other
            for name, other in zip(names, found, strict=True)
        ]
    count = Counter(map(_alike, found))
    return [
        name if count[_alike(name)] == 1 and _shown(name) == name else _marked(name, each)
        for name, each in zip(found, parts, strict=True)
    ]


def _alike(name: str) -> str:
    """What two names share that some systems, or readers, hold to be one."""
    return name.casefold()


def _shown(name: str) -> str:
    """A name as it may be printed; one that was changed for it ends in a digest of what it was."""
    return name if _plain(name) == name and not MARKED.search(name) else _marked(name, (name,))


def _marked(name: str, parts: Sequence[str]) -> str:
    return f"{_plain(name)}-{_digest('/'.join(parts))}"


def _plain(name: str) -> str:
    return clean(" ".join(os.fsencode(name).decode(errors="replace").split()), LONGEST_NAME)


def _word(path: Path) -> str:
    return shown(str(path))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
