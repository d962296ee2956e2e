"""The auditor: verifies jobs, rounds and payments from public bytes and the chain, and trusts nobody's word.

`audit(job, sources)` is the way in for programs; `connect` makes sources of a coordinator's and a provider's address.
Names are loaded on use, so that `tally audit --help` waits for nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from client.auditor.auditing import audit
    from client.auditor.connecting import Connection, connect
    from client.auditor.evidence.sources import Sources
    from client.auditor.report import Report
    from client.auditor.scope import Scope

__all__ = ["Connection", "Report", "Scope", "Sources", "audit", "connect"]

_HOMES = {
    "Connection": "connecting",
    "Report": "report",
    "Scope": "scope",
    "Sources": "evidence.sources",
    "audit": "auditing",
    "connect": "connecting",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
