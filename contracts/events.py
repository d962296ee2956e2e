"""Reading what contracts reported: by block range, in bounded pieces, as typed events with their place in the chain."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where an event lies. It counts only while the block with this number still has this hash."""

    block: int
    block_hash: bytes
    transaction: bytes
    log_index: int


@dataclass(frozen=True)
class Event:
    """Something a contract reported."""

    place: Place
