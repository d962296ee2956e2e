"""The committed build of every contract: interface, creation code, and the code that must be found on the chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from contracts.abi import Interface

NAMES = ("TallyToken", "NodeRegistry", "JobLedger", "ChallengeCourt")


@dataclass(frozen=True)
class Artifact:
    """A built contract.

    Attributes:
        interface: its ABI.
        creation_code: what a deployment sends, before the constructor's arguments.
        code: what a deployment leaves on the chain, with zeros where constructors write immutables.
        immutables: (start, length) in bytes of every such place.
        storage: where its mappings to structs lie, by name; see `contracts.storage`.
    """

    interface: Interface
    creation_code: bytes
    code: bytes
    immutables: tuple[tuple[int, int], ...]
    storage: Mapping[str, Any]

    def is_code(self, found: bytes) -> bool:
        """Return whether code found on a chain is this contract's, whatever its immutables."""
        masked = bytearray(found)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(length)
        return len(found) == len(self.code) and bytes(masked) == self.code


@cache
def load_artifact(name: str) -> Artifact:
    """Return the committed build of a contract."""
    text = resources.files("contracts").joinpath("artifacts", f"{name}.json").read_text(encoding="utf-8")
    value = json.loads(text)
    places = [place for named in value["immutableReferences"].values() for place in named]
    return Artifact(
        interface=Interface(name, value["abi"]),
        creation_code=bytes.fromhex(value["bytecode"].removeprefix("0x")),
        code=bytes.fromhex(value["deployedBytecode"].removeprefix("0x")),
        immutables=tuple(sorted((place["start"], place["length"]) for place in places)),
        storage=value["storage"],
    )


def load_interfaces() -> Mapping[str, Interface]:
    """Return the interfaces of all contracts by Solidity name."""
    return {name: load_artifact(name).interface for name in NAMES}
