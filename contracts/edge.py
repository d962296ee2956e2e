"""The edge of `tally-chain`: an error becomes a sentence on stderr and an exit code, never a traceback."""

from __future__ import annotations

import json
import sys
import traceback

from contracts.errors import ChainUnreachable
from ledger.errors import Malformed

OUR_PACKAGES = frozenset({"ledger", "contracts"})


def report(error: Exception, *, as_json: bool) -> int:
    """Tell an error and return the exit code: 2 for wrong use, 3 where the chain could not be asked, else 1."""
    ours = type(error).__module__.partition(".")[0] in OUR_PACKAGES
    if ours:
        sentence = str(error)
    elif isinstance(error, OSError) and error.errno is not None:
        sentence = f"{error.filename or 'a file'}: {error.strerror}"
    else:
        traceback.print_exception(error)
        sentence = f"this is a bug in tally-chain: {type(error).__name__}: {error}"
    if as_json:
        sys.stdout.write(json.dumps({"error": type(error).__name__, "detail": sentence}) + "\n")
    sys.stderr.write(f"tally-chain: {sentence}\n")
    if isinstance(error, ChainUnreachable):
        return 3
    return 2 if isinstance(error, Malformed) else int(getattr(error, "exit_code", 1))
