"""A case: a lie, the check that must catch it, and how to lay it into the good bundle."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.conformance.draft import Draft, Files

Lie = Callable[[Draft], Callable[[Files], Files] | None]
"""Bends a draft; what it returns bends the sealed files, after every signature."""

NONE, LEARNING, ANY = "none", "learning", "any"
FAIL, UNKNOWN, UNREADABLE = "fail", "unknown", "unreadable"
EXIT_CODES = {FAIL: 1, UNKNOWN: 3, UNREADABLE: 3}


@dataclass(frozen=True)
class Case:
    """A broken bundle.

    Attributes:
        check: the check that must catch it; `archive` for what is no bundle at all.
        what: what was done, in words of a file name.
        lie: does it.
        others: which other checks may fail: none; those of the learning, where the lie moves the beacon and with it
            the sample that scores honestly follow from; or any.
        outcome: what the check says; `unreadable` where there is no report.
    """

    check: str
    what: str
    lie: Lie
    others: str = NONE
    outcome: str = FAIL

    @property
    def name(self) -> str:
        return f"{self.check}--{self.what}"


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    """Changes a file after everything was signed."""
    return lambda files: {**files, name: change(files[name])}


def drop(name: str) -> Callable[[Files], Files]:
    """Leaves a file out."""
    return lambda files: {other: content for other, content in files.items() if other != name}


def flip(content: bytes, bit: int) -> bytes:
    """One bit of these bytes flipped."""
    changed = bytearray(content)
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)
