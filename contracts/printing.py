"""What `tally-chain` prints: results on stdout, as lines for people or as JSON; remarks on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.hexadecimal import to_address, to_hex

if TYPE_CHECKING:
    from rich.console import Console

    from contracts.deployment import Deployment
    from contracts.devchain import DevChain


def create_console() -> Console:
    """Return the console for remarks: stderr, so that stdout holds results only."""
    from rich.console import Console  # noqa: PLC0415 -- imported where something is shown

    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_result(value: Mapping[str, object], *, as_json: bool) -> None:
    """Print one result: JSON on one line, or a line for each member that is there."""
    if as_json:
        _write(json.dumps(value))
        return
    plain = {name: item for name, item in value.items() if item is not None and not isinstance(item, dict)}
    width = max(map(len, plain), default=0)
    for name, item in plain.items():
        _write(f"{name:<{width}}  {item}")


def print_dev_chain(chain: DevChain, deployment: Deployment | None, out: Path | None, *, as_json: bool) -> None:
    """Print where a dev chain is, its accounts with their keys, and what was deployed."""
    if as_json:
        accounts = [{"address": to_address(a.address), "privateKey": to_hex(a.private_key)} for a in chain.accounts]
        contracts = None if deployment is None else deployment.to_json()
        _write(json.dumps({"rpcUrl": chain.url, "accounts": accounts, "deployment": contracts}))
        return
    _write(f"dev chain at {chain.url}; Ctrl-C ends it, nothing is kept\n")
    _write("accounts with native coin; their private keys are public: use them nowhere else")
    for account in chain.accounts:
        _write(f"  {to_address(account.address)}  {to_hex(account.private_key)}")
    if deployment is not None:
        _write("\ncontracts" + ("" if out is None else f", written to {out}"))
        width = max(map(len, deployment.addresses))
        for name, address in deployment.addresses.items():
            _write(f"  {name:<{width}}  {to_address(address)}")


def _write(line: str) -> None:
    # Flushed, since programs that started us wait for the line.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
