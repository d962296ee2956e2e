"""Where a watchtower stands with a job: one file, replaced as a whole at each change.

All of it follows from the chain and from evidence: a lost file costs work, and no line is told twice with it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from client.errors import ClientError
from client.home import save_durably
from ledger.errors import Malformed
from ledger.hexadecimal import parse_hex, to_hex
from ledger.statements import RoundHeader, Terms

VERSION = 1
REMEMBERED_BLOCKS = 256


class PlaceUnusable(ClientError):
    """The file was changed by something else, or is of another version, job or chain."""

    exit_code = 2

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}; move the file away to begin anew")


@dataclass
class WatchedRound:
    """A posted round and what came of it; `outcome` is empty until it was verified.

    `complete` says that nothing of its evidence is missing any more, `recomputed` that the learning was looked at,
    `faults` how many can be proven.
    """

    header: RoundHeader
    final_at: int
    window_end: int
    posted_at: int
    block: int
    outcome: str = ""
    failed: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    faults: int = 0
    complete: bool = False
    recomputed: bool = False

    @property
    def number(self) -> int:
        """Of the round."""
        return self.header.round


@dataclass
class Demanded:
    """A demand that stands on chain, whoever made it; `answered_in` is the block of its answer, 0 without one."""

    round: int
    seq: int
    answer_by: int
    block: int
    answered_in: int = 0


@dataclass
class Bounty:
    """A bounty that waits until `until` for the earliest commitment to a fault, as `block` says."""

    fault_id: bytes
    until: int
    block: int


@dataclass
class Place:
    """A job's place.

    Attributes:
        blocks: (number, hash) of blocks read up to, the newest last.
        struck: the first struck round and the block that says so.
        told: ids of faults that were told.
    """

    chain_id: int
    ledger: bytes
    job: bytes
    terms: Terms | None = None
    blocks: list[tuple[int, bytes]] = field(default_factory=list)
    rounds: dict[int, WatchedRound] = field(default_factory=dict)
    demands: list[Demanded] = field(default_factory=list)
    bounties: list[Bounty] = field(default_factory=list)
    struck: tuple[int, int] | None = None
    told: list[str] = field(default_factory=list)

    def find_demand(self, number: int, seq: int) -> Demanded | None:
        """The demand of this seq."""
        return next((demand for demand in self.demands if (demand.round, demand.seq) == (number, seq)), None)

    def is_struck(self, number: int) -> bool:
        """Whether a round is struck."""
        return self.struck is not None and number >= self.struck[0]

    def save(self, path: Path) -> None:
        """Replaces the file; after a crash the old or the new content is there."""
        value = {"version": VERSION, **_write(asdict(self))}
        value["terms"] = self.terms.to_json() if self.terms else None
        value["rounds"] = [
            _write(asdict(known) | {"header": None}) | {"header": known.header.to_json()}
            for known in self.rounds.values()
        ]
        save_durably(path, json.dumps(value, indent=1).encode() + b"\n", private=True)

    @classmethod
    def load(cls, path: Path, chain_id: int, ledger: bytes, job: bytes) -> Place:
        """The place in the file, or a new one. Raises PlaceUnusable."""
        new = cls(chain_id, ledger, job)
        try:
            value = json.loads(path.read_bytes())
            read = _read(value)
        except FileNotFoundError:
            return new
        except (Malformed, ValueError, TypeError, KeyError, AttributeError) as error:
            raise PlaceUnusable(path, f"not a watchtower's place ({type(error).__name__}: {error})") from None
        if (read.chain_id, read.ledger, read.job) != (chain_id, ledger, job):
            raise PlaceUnusable(path, "it belongs to another chain, ledger or job")
        return read


def _write(value: Any) -> Any:
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, dict):
        return {str(key): _write(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_write(item) for item in value]
    return value


def _read(value: dict[str, Any]) -> Place:
    if value.pop("version") != VERSION:
        raise ValueError(f"expected version {VERSION}")
    rounds = [
        WatchedRound(**known | {"header": RoundHeader.from_json(known["header"])}) for known in value.pop("rounds")
    ]
    terms = value.pop("terms")
    return Place(
        chain_id=value["chain_id"],
        ledger=parse_hex(value["ledger"], 20),
        job=parse_hex(value["job"], 32),
        terms=None if terms is None else Terms.from_json(terms),
        blocks=[(number, parse_hex(block_hash, 32)) for number, block_hash in value["blocks"]],
        rounds={known.number: known for known in rounds},
        demands=[Demanded(**demand) for demand in value["demands"]],
        bounties=[
            Bounty(parse_hex(bounty["fault_id"], 32), bounty["until"], bounty["block"]) for bounty in value["bounties"]
        ],
        struck=tuple(value["struck"]) if value["struck"] else None,
        told=list(value["told"]),
    )
