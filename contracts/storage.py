"""Where JobLedger keeps what: the storage slots behind `jobOf`, `roundOf` and `claimedOf`, for proofs of storage.

Slots and offsets come from the compiler, in the artifact; a test compares them with a real chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from contracts.artifacts import load_artifact
from contracts.state import AccountState, Finality, JobState, RoundState, build_state
from ledger.hashing import keccak256

_WORD_BYTES: Final = 32
_ADDRESS_BYTES: Final = 20


@dataclass(frozen=True)
class Structs:
    """A mapping to structs: its slot, and of each member the slot within the struct, offset from the low end, width."""

    slot: int
    members: Mapping[str, tuple[int, int, int]]

    @property
    def size(self) -> int:
        """How many slots a struct takes."""
        return 1 + max(slot for slot, _, _ in self.members.values())

    def find_slots(self, *keys: bytes) -> list[bytes]:
        """Returns the storage keys of one struct, in order; nested mappings take a key each, left-padded to a word."""
        place = self.slot.to_bytes(_WORD_BYTES, "big")
        for key in keys:
            place = keccak256(key.rjust(_WORD_BYTES, b"\0") + place)
        first = int.from_bytes(place, "big")
        return [((first + at) % 2**256).to_bytes(_WORD_BYTES, "big") for at in range(self.size)]

    def read(self, words: Sequence[int]) -> dict[str, int]:
        """Returns the members of the struct in these words as unsigned integers."""
        return {
            name: words[slot] >> 8 * offset & ((1 << 8 * width) - 1)
            for name, (slot, offset, width) in self.members.items()
        }


@dataclass(frozen=True)
class LedgerStorage:
    """The three mappings that an audit reads."""

    jobs: Structs
    rounds: Structs
    drawn: Structs

    def find_job(self, job: bytes) -> list[bytes]:
        """Returns the slots behind `jobOf`."""
        return self.jobs.find_slots(job)

    def find_round(self, job: bytes, round_number: int) -> list[bytes]:
        """Returns the slots behind `roundOf`."""
        return self.rounds.find_slots(job, round_number.to_bytes(_WORD_BYTES, "big"))

    def find_drawn(self, job: bytes, node: bytes) -> list[bytes]:
        """Returns the slot behind `claimedOf`."""
        return self.drawn.find_slots(job, node)

    def read_job(self, words: Sequence[int]) -> JobState | None:
        """Returns the job in these words, None where it was never opened."""
        values: dict[str, Any] = self.jobs.read(words)
        if values["finality"] == Finality.UNKNOWN:
            return None
        values = _write_bytes(values, addresses=("coordinator", "token", "requester"), words=("lastHeader",))
        return build_state(JobState, {**values, "closed": bool(values["closed"])})

    def read_round(self, words: Sequence[int]) -> RoundState | None:
        """Returns the round in these words, None where it was never posted."""
        values = _write_bytes(self.rounds.read(words), addresses=("token",), words=("anchor",))
        return build_state(RoundState, values) if any(values["anchor"]) else None

    def read_drawn(self, words: Sequence[int]) -> int:
        """Returns what a node has drawn, in base units."""
        return self.drawn.read(words)["earned"]


@cache
def load_storage() -> LedgerStorage:
    """Returns the layout of the committed build."""
    layout = load_artifact("JobLedger").storage
    jobs, rounds, drawn = (
        Structs(layout[name]["slot"], {label: tuple(place) for label, place in layout[name]["members"].items()})
        for name in ("_jobs", "_rounds", "_drawn")
    )
    return LedgerStorage(jobs, rounds, drawn)


def compute_account(job: JobState, rewards: Sequence[int]) -> AccountState:
    """Returns where the escrow is, as `accountOf` answers; `rewards` are those kept with each posted round, from 1."""
    standing = job.posted if job.halted == 0 or job.posted < job.halted else job.halted - 1
    earned = rewards[standing - 1] if standing else 0
    funded, burned = job.rounds * job.budget_per_round, job.burned_rounds * job.budget_per_round
    left = funded - burned - earned
    free, refunded = (0, left) if job.closed else (left, 0)
    return AccountState(funded, job.paid, earned - job.paid, free, refunded, burned)


def _write_bytes(values: Mapping[str, int], addresses: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    widths = dict.fromkeys(addresses, _ADDRESS_BYTES) | dict.fromkeys(words, _WORD_BYTES)
    return {name: value.to_bytes(widths[name], "big") if name in widths else value for name, value in values.items()}
