"""What faults are found in: the rounds on chain, with whatever an auditor holds of them that is signed or proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ledger.eip712 import Domain
from ledger.faults.faults import ProvenEntry
from ledger.statements import Closing, Contribution, Receipt, RoundHeader, Signed, Terms


@dataclass(frozen=True, slots=True)
class Promises:
    """Signed words of a coordinator that somebody kept, of any job and round; whose signature they bear is open."""

    receipts: tuple[Signed[Receipt], ...] = ()
    closings: tuple[Signed[Closing], ...] = ()
    headers: tuple[Signed[RoundHeader], ...] = ()


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """All that proves one contribution, as a court has found it to belong together."""

    entry: ProvenEntry
    contribution: Contribution
    node_signature: bytes
    receipt: Signed[Receipt]


@dataclass(frozen=True)
class KnownRound:
    """A posted round. `gathering.gather` makes one of untrusted files.

    Attributes:
        header: the anchored one.
        entries: proven under its root, in seq order; more than one for a seq where the tree holds more than one.
        contributions: by digest, whoever signed them.
        signatures: the node's and the receipt's by their joint digest, as entries name them.
        promises: of this job and round, signed by its coordinator.
    """

    header: RoundHeader
    entries: tuple[ProvenEntry, ...] = ()
    contributions: Mapping[bytes, Contribution] = field(default_factory=dict, repr=False)
    signatures: Mapping[bytes, tuple[bytes, bytes]] = field(default_factory=dict, repr=False)
    promises: Promises = field(default_factory=Promises)

    @property
    def receipts(self) -> tuple[Signed[Receipt], ...]:
        """The receipts among the promises."""
        return self.promises.receipts

    @property
    def number(self) -> int:
        """Of the round, from 1."""
        return self.header.round

    @cached_property
    def by_seq(self) -> Mapping[int, ProvenEntry]:
        """The first entry known with each seq."""
        return {proven.entry.seq: proven for proven in reversed(self.entries)}

    @cached_property
    def by_node(self) -> Mapping[bytes, ProvenEntry]:
        """The first entry known of each node."""
        return {proven.entry.node: proven for proven in reversed(self.entries)}


@dataclass(frozen=True, slots=True)
class Case:
    """A job as an auditor knows it.

    Attributes:
        domain: of the chain and ledger that the auditor trusts.
        terms: as the chain has them.
        rounds: posted ones by number.
        pending: of this job, signed by its coordinator, for rounds that are not posted.
        now: the chain's clock, unix seconds.
        halted: rounds from this one on are struck; 0 while the job runs.
    """

    domain: Domain
    terms: Terms
    rounds: Mapping[int, KnownRound]
    pending: Promises = field(default_factory=Promises)
    now: int = 0
    halted: int = 0
