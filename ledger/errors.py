"""Errors as data: what was expected, what came, and about which field.

`Malformed…` says that bytes or values are not what the protocol allows; `VerificationError` that well-formed ones
contradict what they must agree with. Both keep their operands. (More names than usual: this is the one list.)
"""

from __future__ import annotations

from typing import Final

_SHOWN_CHARACTERS: Final = 120


class _Absent:
    """Marks an operand that the raiser did not have, so that a real None is still shown."""


_ABSENT: Final = _Absent()


class Malformed(ValueError):  # a ValueError, so that a field validator at the wire reports it as its own
    """Bytes or values that are not what the protocol allows.

    `subject` names the field (`Receipt.seq`), `expected` what it must be. Without `got`, it is a whole sentence.
    """

    def __init__(self, subject: str, expected: str, got: object = _ABSENT) -> None:
        self.subject = subject
        self.expected = expected
        self.got = None if got is _ABSENT else got
        super().__init__(f"{subject}: {expected}" if got is _ABSENT else f"{subject}: {describe(expected, got)}")

    def __reduce__(self) -> tuple[object, ...]:
        # ValueError's own would call the class with the finished message: errors cross process borders.
        return _rebuild, (type(self), self.args), {**self.__dict__}


class MalformedHex(Malformed):
    """Text that is not the hex the protocol writes."""


class MalformedJson(Malformed):
    """Bytes that are not JSON, or JSON that a digest cannot stand on."""


class MalformedStatement(Malformed):
    """A member of a statement, entry or other typed struct has another type, width or name than its definition."""


class MalformedSignature(Malformed):
    """A signature that is not 65 canonical bytes, or that no key can have made."""


class MalformedTree(Malformed):
    """Leaves or a tree dump that no padded tree has."""


class MalformedSpec(Malformed):
    """A job spec with a field that is missing, unknown or out of range."""


class VerificationError(Exception):
    """Well-formed bytes that do not say what they must: `check` is the id of the check that failed."""

    def __init__(self, check: str, detail: str, expected: object = _ABSENT, got: object = _ABSENT) -> None:
        self.check = check
        self.detail = detail
        self.expected = None if expected is _ABSENT else expected
        self.got = None if got is _ABSENT else got
        operands = "" if expected is _ABSENT else f": {describe(show(expected), got)}"
        super().__init__(f"{check}: {detail}{operands}")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args), {**self.__dict__}


def describe(expected: str, got: object) -> str:
    """Returns "expected …, got …" with the second operand shortened."""
    return f"expected {expected}, got {show(got)}"


def show(value: object) -> str:
    """Returns a value as people read it: bytes as hex, long ones cut, the type named where it is what differs."""
    if isinstance(value, bytes):
        text = f"{len(value)} bytes 0x{value[:40].hex()}"
    elif value is None or isinstance(value, (bool, str, int)):
        text = _show_int(value) if type(value) is int else repr(value)
    else:
        text = f"{type(value).__name__} {value!r}"
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _show_int(value: int) -> str:
    # Python refuses to print integers of thousands of digits, and nobody reads them.
    return str(value) if value.bit_length() <= 512 else f"an integer of {value.bit_length()} bits"


def _rebuild(cls: type[Exception], arguments: tuple[object, ...]) -> Exception:
    error = cls.__new__(cls)
    error.args = arguments
    return error
