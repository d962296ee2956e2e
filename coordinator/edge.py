"""The edge of the program: an error becomes a sentence on stderr and an exit code, never a traceback."""

from __future__ import annotations

import json
import sys
import traceback

import structlog

OUR_PACKAGES = frozenset({"ledger", "learning", "contracts", "coordinator"})

_log = structlog.get_logger()


def report(error: Exception, *, as_json: bool) -> int:
    """Tell the error and return the exit code: 2 for wrong settings, else 1."""
    told = type(error).__module__.partition(".")[0] in OUR_PACKAGES
    if told:
        sentence = str(error)
    elif isinstance(error, OSError) and error.errno is not None:
        sentence = f"{error.strerror or type(error).__name__}: {error.filename or 'no file named'}"
    else:
        sentence = f"this is a bug in tally-coordinator: {type(error).__name__}: {error}"
        _log.error("crashed", traceback="".join(traceback.format_exception(error)))
    if as_json:
        sys.stdout.write(json.dumps({"error": type(error).__name__, "detail": sentence}) + "\n")
    sys.stderr.write(f"tally-coordinator: {sentence}\n")
    return 2 if type(error).__name__ == "SettingsRefused" else 1
