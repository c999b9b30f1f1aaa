"""The seeds of a class: a file that nobody else has, and the numbers that are drawn from it.

Every number is drawn one way from the file and from words that say what it is for: who sees the
number of one run learns nothing of another, or of the file.
"""

import hashlib
import hmac
import random
from functools import cached_property
from pathlib import Path

from raftlab.raft.vocabulary import Misuse, shown

LEAST_BYTES = 16
MOST_BYTES = 65_536
SLOWLY = 200_000
"""How many rounds a digest takes: a tenth of a second."""
MAKE_ONE = 'python -c "import secrets; print(secrets.token_hex(32))" > seeds.txt makes one'


class Seeds:
    """The seeds of a class."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @cached_property
    def digest(self) -> str:
        """Tells two files apart. It stands on pages: it is slow, so that guesses cost something."""
        return hashlib.pbkdf2_hmac("sha256", self._secret, b"raftlab digest", SLOWLY).hex()[:12]

    def number(self, *words: str) -> int:
        """The number that is drawn for what these words say, below 2**31."""
        return int(self._drawn("number", *words)[:16], 16) >> 33

    def chance(self, *words: str) -> random.Random:
        """A source of chance for what these words say."""
        return random.Random(int(self._drawn("chance", *words), 16))

    def _drawn(self, *words: str) -> str:
        said = "\0".join(words).encode("utf-8", "backslashreplace")
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()


def read_seeds(path: Path) -> Seeds:
    """The seeds in a file. Raises: Misuse, if it is too short to be a secret; OSError."""
    with path.open("rb") as file:
        secret = file.read(MOST_BYTES).strip()
    if len(secret) < LEAST_BYTES:
        raise Misuse(
            f"{shown(path.name)} is too short to be a secret: it needs {LEAST_BYTES} characters or"
            f" more. {MAKE_ONE}"
        )
    return Seeds(secret)
