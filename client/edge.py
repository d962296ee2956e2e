"""The edge of every program here: an error becomes a sentence on stderr and an exit code, never a traceback."""

from __future__ import annotations

import json
import sys
import traceback

OUR_PACKAGES = frozenset({"ledger", "learning", "contracts", "client"})


def report(error: Exception, *, as_json: bool = False) -> int:
    """Tells the error and returns the exit code: the error's own `exit_code`, else 1.

    Errors that our packages define are written for people. Any other one is our bug: its traceback goes to a file.
    """
    if is_told(error):
        sentence = str(error)
    elif isinstance(error, OSError) and error.errno is not None:
        sentence = f"{error.strerror or type(error).__name__}: {error.filename or 'no file named'}"
    else:
        sentence = f"this is a bug in tally: {type(error).__name__}: {error}; {_keep_traceback(error)}"
    if as_json:
        sys.stdout.write(json.dumps({"error": type(error).__name__, "detail": sentence}) + "\n")
    from client.output import show_text  # noqa: PLC0415 -- only an error needs it

    # Line by line: a sentence may quote what others wrote.
    shown = "\n".join(map(show_text, sentence.split("\n")))
    sys.stderr.write(f"tally: {shown}\n")
    return int(getattr(error, "exit_code", 1))


def is_told(error: BaseException) -> bool:
    """Whether one of our packages defines this error, with a message for people."""
    return type(error).__module__.partition(".")[0] in OUR_PACKAGES


def _keep_traceback(error: Exception) -> str:
    from client.settings import find_home  # noqa: PLC0415 -- only a crash needs it

    path = find_home() / "crash.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError as failure:
        return f"its traceback could not be written to {path} ({failure.strerror})"
    return f"its traceback is in {path}"
