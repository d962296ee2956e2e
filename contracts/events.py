"""An event: something a contract reported, with its place in the chain. `job_events.py` and its siblings list them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ledger.statements import RoundHeader, Terms
from ledger.structs import to_snake

# Solidity members that are a keyword here, or a struct.
RENAMED = {"from": "sender"}
STRUCTS = {"terms": Terms, "header": RoundHeader}


@dataclass(frozen=True)
class Place:
    """Where an event lies. It counts only while the block with this number still has this hash."""

    block: int
    block_hash: bytes
    transaction: bytes
    log_index: int


@dataclass(frozen=True)
class Event:
    """Something a contract reported; every subclass is named like its Solidity event."""

    place: Place

    @classmethod
    def from_values(cls, place: Place, values: Mapping[str, Any]) -> Self:
        """Return the event from Solidity's members by name."""
        members = {}
        for name, value in values.items():
            struct = STRUCTS.get(name)
            members[RENAMED.get(name, to_snake(name))] = value if struct is None else struct(*value)
        return cls(place, **members)
