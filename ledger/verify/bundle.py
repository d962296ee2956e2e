"""What an audit is given: the bytes of a job's and a round's files, and what the auditor read on the chain itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ledger.commitment import Opening
from ledger.draw import Draw
from ledger.eip712 import Domain
from ledger.entry import Entry, Standing
from ledger.evidence import OpenedClosing, ReportedContribution
from ledger.spec import JobSpec
from ledger.statements import Receipt, RoundHeader, Signed, Terms


@dataclass(frozen=True, slots=True)
class JobFiles:
    """The files of a job: spec.json, terms.json (Terms) and acceptance.json (Signed Acceptance); None if not given."""

    spec: bytes | None
    terms: bytes | None
    acceptance: bytes | None


@dataclass(frozen=True, slots=True)
class AnchoredRound:
    """What the chain keeps of a posted round: the anchor's word and, from the event that put it there, when.

    `posted_at` is the block's timestamp, `final_at` as the event says it (2^64 − 1 while witnesses have not attested),
    `window_end` the end of the window in which it can be struck, `struck` whether it was.
    """

    word: bytes
    final_at: int
    window_end: int
    posted_at: int
    struck: bool = False


@dataclass(frozen=True, slots=True)
class RoundFiles:
    """The files of a round by name (manifest.json and header.json among them), byte for byte.

    `anchored` is None where the chain holds no such round, or none was read, as `unanchored` says. `handed_out` are
    replies of `entries/{node}`: JSON objects of which only `entry` and `proof` are read.
    """

    round: int
    files: Mapping[str, bytes]
    anchored: AnchoredRound | None = None
    handed_out: Sequence[bytes] = ()
    unanchored: str = "the round is not on chain"


@dataclass(frozen=True, slots=True)
class AuditedJob:
    """A job whose spec and terms were read; `domain` is that of the chain and ledger the auditor trusts.

    `as_of` is the chain's clock (unix seconds) when it was read, None offline.
    """

    id: bytes
    domain: Domain
    terms: Terms
    spec: JobSpec
    as_of: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What the rounds verified so far leave to the next.

    `parent` and `model` are None where the last header could not be read; `complete` is false once entries could not.
    `beacon` is what the next round's draw follows from, None where the last round's does not; `blocks` are those that
    the last two cohorts were drawn at, in order, None where that could not be read. `bases` are the base models of the
    last rounds, the newest first, as far back as any age reaches.
    """

    round: int
    parent: bytes | None
    model: bytes | None
    standings: Mapping[bytes, Standing] = field(default_factory=dict, repr=False)
    complete: bool = True
    beacon: bytes | None = None
    blocks: tuple[int | None, ...] = ()
    bases: tuple[bytes | None, ...] = ()

    @classmethod
    def start(cls, job: AuditedJob) -> History:
        """Before round 1."""
        return cls(0, job.id, job.spec.initial_model)


@dataclass(frozen=True, slots=True)
class RoundEvidence:
    """A round's files, read; None where a file is missing or malformed, which its check has then said."""

    round: int
    header: Signed[RoundHeader] | None
    contributions: list[ReportedContribution] | None
    receipts: list[Signed[Receipt]] | None
    closing: OpenedClosing | None
    openings: list[Opening | None] | None
    entries: list[Entry] | None
    draw: Draw | None = None

    @property
    def head(self) -> RoundHeader | None:
        """The header's statement."""
        return self.header.statement if self.header else None
