"""Python's recursion limit, kept: importing py_ecc (which eth-account does) raises it to 100,000 for the whole process.

With that, a parser of deeply nested JSON overruns the C stack and the process dies without an exception: a hundred
kilobytes of `[` from anyone would do. Everyone who reads other people's bytes calls this first.
"""

from __future__ import annotations

import sys

PYTHON_DEFAULT = 1_000


def keep_recursion_limit() -> None:
    """Let py_ecc raise the limit once and for all now, and put Python's own back. Cheap to repeat."""
    if sys.getrecursionlimit() > PYTHON_DEFAULT or "py_ecc" not in sys.modules:
        import py_ecc  # noqa: F401, PLC0415 -- only its effect on import matters; later imports have none

        sys.setrecursionlimit(PYTHON_DEFAULT)
