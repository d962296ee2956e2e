"""The committed build of every contract: interface, creation code, and the code that must be found on the chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from contracts.abi import Interface

NAMES = ("TallyToken", "NodeRegistry", "JobLedger", "Errors")
WORD_BYTES = 32


@dataclass(frozen=True)
class Artifact:
    """A built contract.

    Attributes:
        interface: its ABI.
        creation_code: what a deployment sends, before the constructor's arguments.
        code: what a deployment leaves on the chain, with zeros where constructors write immutables.
        immutables: positions in bytes of every such 32-byte word.
    """

    interface: Interface
    creation_code: bytes
    code: bytes
    immutables: tuple[int, ...]

    def is_code(self, found: bytes) -> bool:
        """Return whether code found on a chain is this contract's, whatever its immutables."""
        masked = bytearray(found)
        for start in self.immutables:
            masked[start : start + WORD_BYTES] = bytes(WORD_BYTES)
        return bytes(masked) == self.code


@cache
def load_artifact(name: str) -> Artifact:
    """Return the committed build of a contract."""
    text = resources.files("contracts").joinpath("artifacts", f"{name}.json").read_text(encoding="utf-8")
    value = json.loads(text)
    return Artifact(
        interface=Interface(name, value["abi"]),
        creation_code=bytes.fromhex(value["bytecode"].removeprefix("0x")),
        code=bytes.fromhex(value["deployedBytecode"].removeprefix("0x")),
        immutables=tuple(sorted(start for places in value["immutables"].values() for start in places)),
    )


def load_interfaces() -> Mapping[str, Interface]:
    """Return the interfaces by Solidity name; `Errors` holds the errors that contracts pass on from libraries."""
    return {name: load_artifact(name).interface for name in NAMES}
