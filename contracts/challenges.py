"""Calls of the court, encoded: commitments, challenges, demands and answers. Twins of `IChallengeCourt.sol`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from contracts.abi import Interface
from contracts.deployment import Deployment
from contracts.state import Anchor
from contracts.transactions import Call
from ledger.entry import Entry
from ledger.faults.faults import Fault, FaultKind, ProvenEntry
from ledger.statements import Contribution, Receipt, Signed, Statement, Terms

COURT = "ChallengeCourt"
NO_ANCHOR = Anchor(bytes(32), bytes(32), 0, 0)
"""Sent where a round is not posted: the court does not read it."""

Words: TypeAlias = tuple[object, ...]


@dataclass(frozen=True)
class PostedJob:
    """A job's terms and the anchors of its posted rounds: what every exhibit is held against."""

    terms: Terms
    anchors: Mapping[int, Anchor]

    @property
    def id(self) -> bytes:
        """The job's id."""
        return self.terms.job_id()

    def find_words(self, number: int) -> Words:
        """A round's four words, zeros where it is not posted."""
        return self.anchors.get(number, NO_ANCHOR).values()

    def point(self, number: int) -> Words:
        """A round as the court is pointed at it (Solidity: PostedRound)."""
        return self.id, number, self.find_words(number)


@dataclass(frozen=True)
class Answer:
    """All that a demand asks for: an entry with what it stands on, and the node's entry before it, if it names one."""

    entry: ProvenEntry
    contribution: Signed[Contribution]
    receipt: Signed[Receipt]
    previous: ProvenEntry | None


class CourtCalls:
    """Builds calls to the court of one deployment, which must have one."""

    def __init__(self, deployment: Deployment, interfaces: Mapping[str, Interface]) -> None:
        self._address = deployment.find_address(COURT)
        self._interface = interfaces[COURT]

    def commit_challenge(self, commitment: bytes) -> Call:
        """Commit the sender to a fault that is shown in a later block."""
        return self._build("commitChallenge", commitment)

    def challenge(self, job: PostedJob, fault: Fault, salt: bytes) -> Call:
        """Show a fault; `salt` opens the sender's commitment to it, 32 zero bytes open none."""
        function, show = _CHALLENGES[fault.KIND]
        return self._build(function, job.point(fault.round), *show(job, fault), salt)

    def open_commitment(self, job: bytes, fault_id: bytes, salt: bytes) -> Call:
        """Open the sender's commitment to a fault that somebody else has shown."""
        return self._build("openCommitment", job, fault_id, salt)

    def settle_bounty(self, job: bytes, fault_id: bytes) -> Call:
        """Credit or burn a bounty whose waiting is over; sent by anyone."""
        return self._build("settleBounty", job, fault_id)

    def demand(self, job: PostedJob, number: int, seq: int, bond: int) -> Call:
        """Ask for the entry at a seq; `bond` wei go to whoever answers."""
        return replace(self._build("demand", job.point(number), seq), value=bond)

    def answer(self, job: PostedJob, answer: Answer) -> Call:
        """Show an entry that was demanded."""
        entry, previous = answer.entry, answer.previous
        exhibit = (
            job.find_words(entry.round),
            write_entry(entry.entry),
            list(entry.proof),
            answer.contribution.statement.values(),
            answer.contribution.signature,
            answer.receipt.statement.values(),
            answer.receipt.signature,
        )
        words = NO_ANCHOR.values() if previous is None else job.find_words(previous.round)
        return self._build("answer", exhibit, words, _NO_ENTRY if previous is None else _prove(previous))

    def answer_padding(self, job: PostedJob, number: int, seq: int, proof: tuple[bytes, ...]) -> Call:
        """Show that a seq that was demanded is padding."""
        return self._build("answerPadding", job.point(number), seq, list(proof))

    def reclaim_demand(self, job: bytes, number: int, seq: int) -> Call:
        """Credit the bond of an unanswered demand back to who made it; sent by anyone."""
        return self._build("reclaimDemand", job, number, seq)

    def withdraw_coin(self, to: bytes) -> Call:
        """Take the sender's credited native coin."""
        return self._build("withdrawCoin", to)

    def challenge_node(self, one: Signed[Contribution], other: Signed[Contribution]) -> Call:
        """Show that a node signed two contributions for one round."""
        return self._build("challengeNode", _sign(one), _sign(other))

    def _build(self, function: str, *arguments: object) -> Call:
        return Call(self._address, self._interface.encode_call(function, arguments), 0, f"{COURT}.{function}")


def write_entry(entry: Entry) -> Words:
    """An entry's words in Solidity's order."""
    return entry.seq, entry.node, entry.earned, entry.body.values()


def _prove(proven: ProvenEntry) -> Words:
    return write_entry(proven.entry), list(proven.proof)


def _sign(signed: Signed[Any]) -> Words:
    statement: Statement = signed.statement
    return statement.values(), signed.signature


_NO_ENTRY: Words = ((0, bytes(20), 0, (bytes(32), bytes(32), *([0] * 12), bytes(32))), [])

# How each kind is shown: the function, and what it takes between the round and the salt. The court's order.
_CHALLENGES: Mapping[FaultKind, tuple[str, Callable[[PostedJob, Any], Words]]] = {
    FaultKind.RECEIPT_REPLACED: ("challengeReplaced", lambda _, f: (_sign(f.receipt), _prove(f.entry))),
    FaultKind.RECEIPT_DROPPED: ("challengeDropped", lambda _, f: (_sign(f.receipt),)),
    FaultKind.ROUND_MISSING: ("challengeMissing", lambda _, f: (_sign(f.receipt),)),
    FaultKind.RECEIPTS_CONFLICT: ("challengeReceipts", lambda _, f: (_sign(f.one), _sign(f.other))),
    FaultKind.RECEIPTS_BROKEN: ("challengeReceiptLink", lambda _, f: (_sign(f.before), _sign(f.later))),
    FaultKind.FIRST_RECEIPT_BROKEN: (
        "challengeFirstReceipt",
        lambda _, f: (_sign(f.receipt), f.contribution.values()),
    ),
    FaultKind.LAST_RECEIPT_BROKEN: ("challengeLastReceipt", lambda _, f: (f.header.values(), _sign(f.receipt))),
    FaultKind.CLOSINGS_CONFLICT: ("challengeClosings", lambda _, f: (_sign(f.one), _sign(f.other))),
    FaultKind.CLOSING_EXCEEDED: ("challengeExceeded", lambda _, f: (_sign(f.closing), _sign(f.receipt))),
    FaultKind.CLOSING_DIFFERS: ("challengeClosing", lambda _, f: (f.header.values(), _sign(f.closing))),
    FaultKind.HEADERS_CONFLICT: ("challengeHeaders", lambda _, f: (_sign(f.one), _sign(f.other))),
    FaultKind.HEADER_REPLACED: ("challengePosted", lambda _, f: (_sign(f.header),)),
    FaultKind.MODEL_BROKEN: ("challengeModel", lambda _, f: (f.header.values(), f.parent.values())),
    FaultKind.CONTRIBUTION_ALTERED: (
        "challengeContribution",
        lambda _, f: (f.header.values(), _prove(f.entry), f.contribution.values()),
    ),
    FaultKind.SIGNATURES_FALSE: ("challengeSignatures", lambda _, f: (_prove(f.entry), f.signatures)),
    FaultKind.COUNTED_TWICE: ("challengeTwice", lambda _, f: (_prove(f.one), _prove(f.other))),
    FaultKind.FIRST_TOTALS_WRONG: ("challengeFirstTotals", lambda _, f: (_prove(f.entry),)),
    FaultKind.TOTALS_WRONG: ("challengeTotals", lambda _, f: (_prove(f.before), _prove(f.later))),
    FaultKind.VERDICT_UNFIT: ("challengeVerdict", lambda _, f: (_prove(f.entry),)),
    FaultKind.REWARD_WRONG: (
        "challengeReward",
        lambda job, f: (f.header.values(), job.terms.values(), _prove(f.entry)),
    ),
    FaultKind.CARRY_UNFOUNDED: ("challengeUnfounded", lambda _, f: (_prove(f.entry),)),
    FaultKind.CARRY_WRONG: (
        "challengeCarry",
        lambda job, f: (_prove(f.entry), job.find_words(f.previous.round), _prove(f.previous)),
    ),
    FaultKind.ENTRY_SKIPPED: (
        "challengeSkipped",
        lambda job, f: (_prove(f.entry), job.point(f.skipped.round), _prove(f.skipped)),
    ),
    FaultKind.DEMAND_UNANSWERED: ("challengeUnanswered", lambda _, f: (f.seq,)),
}
