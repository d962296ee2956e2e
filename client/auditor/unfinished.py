"""Whatever stops an audit is neither true nor false: exit code 3, unless it was wrong use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

USAGE = 2
NOT_CHECKED = 3


@contextmanager
def unfinished_is_not_checked(*, contradicts: bool = False) -> Iterator[None]:
    """Gives every error the exit code of an audit that did not come to its end.

    Args:
        contradicts: whether a VerificationError is an answer to what was asked.
    """
    from client.auditor.connecting import CouldNotCheck  # noqa: PLC0415 -- --help must not wait for these
    from ledger.errors import VerificationError  # noqa: PLC0415

    try:
        yield
    except KeyboardInterrupt:
        raise CouldNotCheck("interrupted") from None
    except Exception as error:
        answered = contradicts and isinstance(error, VerificationError)
        if not answered and getattr(error, "exit_code", None) != USAGE:
            error.exit_code = NOT_CHECKED  # type: ignore[attr-defined]  # the program's edge reads it
        raise
