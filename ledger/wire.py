"""The messages of the HTTP API, version 1: what coordinator and clients say to each other, and nothing else.

Over 300 lines, and more names than a module of ours usually has: this is the one list of every body, read like the API.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ledger.wire_types import (
    Address,
    Amount,
    Bytes32,
    ContributionField,
    Message,
    SignatureBytes,
    SignedAcceptance,
    SignedClosing,
    SignedHeader,
    SignedRegistration,
    SignedVoucher,
    TermsField,
    WalletSignature,
)

JobState = Literal["accepted", "running", "finished", "closing", "closed", "rejected"]
RoundState = Literal["committing", "revealing", "tallying", "sealed", "anchored", "final", "rejected"]
ContributionState = Literal["received", "revealed", "accepted", "refused"]
NodeState = Literal["pending", "registered", "refused"]
ClaimState = Literal["queued", "sent", "paid", "failed"]

SafeInt = Annotated[int, Field(ge=0, le=2**53 - 1)]
# A report is kept and handed out for good: what an honest node says in it fits by far.
MOST_MEMBERS, MOST_NAME_CHARACTERS, MOST_TEXT_CHARACTERS = 12, 64, 256
ReportName = Annotated[str, Field(max_length=MOST_NAME_CHARACTERS)]
ReportText = Annotated[str, Field(max_length=MOST_TEXT_CHARACTERS)]


class Info(Message):
    """What a client pins at first contact: chain, contracts, token, coordinator."""

    name: str
    version: str
    protocol: int
    chain_id: SafeInt
    job_ledger: Address
    node_registry: Address
    token: Address
    coordinator: Address
    rpc_url: str
    start_block: SafeInt


class ErrorMessage(Message):
    """Every refusal: a stable name, a sentence for a person, and the operands beside them."""

    model_config = Message.model_config | {"extra": "allow"}

    error: str
    detail: str


class NonceRequest(Message):
    """Asks for an EIP-4361 message for this address."""

    address: Address


class Nonce(Message):
    """The complete EIP-4361 text to sign; clients check every line before they sign."""

    nonce: str
    message: str


class Login(Message):
    """The signed EIP-4361 text: 65 bytes by the address' own key, or whatever its contract approves (ERC-1271)."""

    message: str
    signature: WalletSignature


class Session(Message):
    """A bearer token; `roles` follow from the address."""

    token: str
    address: Address
    expires_at: SafeInt
    roles: list[str]


class Hardware(Message):
    """What a node says of its machine; shown, never trusted."""

    platform: str = Field(max_length=200)
    processor: str = Field(max_length=200)
    cores: Annotated[int, Field(ge=1, le=65_536)]
    memory_bytes: SafeInt
    accelerator: str = Field(default="", max_length=200)


class NodeRegistration(Message):
    """A node's signed registration for the coordinator to relay, with what it says of itself."""

    registration: SignedRegistration
    hardware: Hardware
    version: str = Field(max_length=60)


class NodeView(Message):
    """A node as the coordinator knows it; `stake` is what counts for jobs, without what is leaving."""

    node: Address
    operator: Address
    payout: Address
    stake: Amount
    state: NodeState
    detail: str
    transaction: Bytes32 | None
    hardware: Hardware
    version: str
    registered_at: SafeInt
    last_seen_at: SafeInt | None
    present: bool


class Telemetry(Message):
    """Bounded, redacted measurements of one phase of a node's work."""

    job: Bytes32
    round: SafeInt
    phase: Literal["pull", "train", "commit", "reveal"]
    seconds: Annotated[float, Field(ge=0, le=1e6)]
    cpu_seconds: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    memory_bytes: SafeInt = 0
    sent_bytes: SafeInt = 0
    received_bytes: SafeInt = 0
    lines: list[Annotated[str, Field(max_length=300)]] = Field(default_factory=list, max_length=20)


class TelemetryReport(Message):
    """Some measurements of one node, sent together."""

    measurements: Annotated[list[Telemetry], Field(min_length=1, max_length=64)]


class NodeWork(Message):
    """One node's part in one job: what the tables of a run show.

    `verdicts` counts its entries in standing rounds by verdict, `score` is their sum in 2^-40 nats. `compute_seconds`
    and `loss` are its own word, in which what is no number from 0 to 10^15 does not count.
    """

    node: Address
    contributions: SafeInt
    accepted: SafeInt
    samples: SafeInt
    compute_seconds: float
    loss: float | None
    credit: Amount
    earned: Amount
    claimed: Amount
    final_earned: Amount
    verdicts: dict[str, SafeInt]
    score: Amount
    first_round: SafeInt
    last_round: SafeInt


class HistoryLine(Message):
    """One entry of a node: what was made of its contribution to a round; scores and credit in 2^-40 nats."""

    round: SafeInt
    state: RoundState
    seq: SafeInt
    verdict: str
    weight: SafeInt
    score: Amount
    credit: Amount
    gain: Amount
    reward: Amount
    earned: Amount


class JobHistory(Message):
    """A node's entries in a job, oldest first, and their sums over standing rounds; rounds are 0 without any."""

    job: Bytes32
    title: str
    verdicts: dict[str, SafeInt]
    score: Amount
    reward: Amount
    first_round: SafeInt
    last_round: SafeInt
    rounds: list[HistoryLine]


class NodeHistory(Message):
    """What became of everything that a node contributed, job by job; every line is a copy of a public entry."""

    node: Address
    jobs: list[JobHistory]


class JobRequest(Message):
    """Spec (canonical JSON object) and terms of a job to accept; `holdout` names an uploaded file, only reported on."""

    spec: dict[str, Any]
    terms: TermsField
    holdout: Bytes32 | None = None


class JobAcceptance(Message):
    """The coordinator's word that it will run the job once it is funded."""

    job: Bytes32
    acceptance: SignedAcceptance


class JobView(Message):
    """A job as it stands."""

    job: Bytes32
    state: JobState
    detail: str
    title: str
    terms: TermsField
    acceptance: SignedAcceptance
    rounds_sealed: SafeInt
    rounds_final: SafeInt
    spent: Amount
    opened_block: SafeInt | None
    model: Bytes32
    created_at: SafeInt


class RoundView(Message):
    """A round as it stands; totals are null until it is sealed, metrics follow a little later."""

    job: Bytes32
    round: SafeInt
    state: RoundState
    parent: Bytes32
    base_model: Bytes32
    seed_digest: Bytes32
    opened_at: SafeInt
    commit_deadline: SafeInt
    reveal_deadline: SafeInt | None
    cohort: SafeInt
    committed: SafeInt
    revealed: SafeInt
    accepted: SafeInt | None
    clip: SafeInt
    header: Bytes32 | None
    next_model: Bytes32 | None
    total_score: Amount | None
    pot: Amount | None
    total_reward: Amount | None
    void: str | None
    metrics: dict[str, float] | None
    timings: dict[str, float]
    transaction: Bytes32 | None
    final_at: SafeInt | None


class CommitAssignment(Message):
    """Work to do: train from `base_model` and commit before the deadline. `previous` is the header `parent` names."""

    kind: Literal["commit"] = "commit"
    job: Bytes32
    round: SafeInt
    parent: Bytes32
    base_model: Bytes32
    seed_digest: Bytes32
    opened_at: SafeInt
    commit_deadline: SafeInt
    reveal_seconds: SafeInt
    clip: SafeInt
    previous: SignedHeader | None = None


class RevealAssignment(Message):
    """The closing that allows a node to reveal, with the digests it commits to, in seq order."""

    kind: Literal["reveal"] = "reveal"
    job: Bytes32
    round: SafeInt
    contribution: Bytes32
    reveal_deadline: SafeInt
    closing: SignedClosing
    contributions: list[Bytes32]


Assignment = Annotated[CommitAssignment | RevealAssignment, Field(discriminator="kind")]


class ContributionRequest(Message):
    """A signed contribution and the report its statement commits to (decimal strings, SHA-256 of canonical JSON).

    A report has at most 12 members, of names of at most 64 characters and texts of at most 256.
    `voucher` is the platform's, null where the job weighs all alike; the report's member `voucher` is its digest.
    """

    statement: ContributionField
    signature: SignatureBytes
    report: dict[ReportName, ReportText] = Field(max_length=MOST_MEMBERS)
    voucher: SignedVoucher | None = None


class ContributionView(Message):
    """A contribution as it stands; `verdict` is null until the round is sealed."""

    contribution: Bytes32
    job: Bytes32
    round: SafeInt
    seq: SafeInt
    node: Address
    state: ContributionState
    verdict: SafeInt | None


class ClosingView(Message):
    """A round's closing with the contribution digests it fixes."""

    closing: SignedClosing
    contributions: list[Bytes32]


class Anchor(Message):
    """Where a header stands on chain: the words of the ledger's anchor, and the transaction that put it there."""

    header_digest: Bytes32
    entries_root: Bytes32
    count: SafeInt
    final_at: SafeInt
    transaction: Bytes32
    block: SafeInt


class HeaderView(Message):
    """A signed header and, once posted, its anchor."""

    header: SignedHeader
    anchor: Anchor | None


class EntryView(Message):
    """One entry with its proof: the claim, the proof of contribution and the exhibit in a challenge."""

    entry: dict[str, Any]
    proof: list[Bytes32]
    header: SignedHeader
    anchor: Anchor | None


class ClaimRequest(Message):
    """Asks the coordinator to pay the gas of a claim; the tokens go to the node's payout address and nowhere else."""

    job: Bytes32
    round: SafeInt
    node: Address


class ClaimView(Message):
    """A relayed claim as it stands."""

    claim: SafeInt
    job: Bytes32
    round: SafeInt
    node: Address
    state: ClaimState
    amount: Amount
    detail: str
    transaction: Bytes32 | None


class JobEarnings(Message):
    """What one node has earned in one job: in all, in final rounds, and already claimed."""

    job: Bytes32
    title: str
    earned: Amount
    final_earned: Amount
    claimed: Amount
    last_round: SafeInt
    last_final_round: SafeInt


class Earnings(Message):
    """What one node has earned, job by job."""

    node: Address
    jobs: list[JobEarnings]


class Explanation(Message):
    """Why a node was paid this in a round; every number is in the signed entry and header beside it."""

    job: Bytes32
    round: SafeInt
    node: Address
    lines: list[str]
    entry: EntryView


class ModelView(Message):
    """A model registered by a finished (or running) job, and its card."""

    model: Bytes32
    job: Bytes32
    round: SafeInt
    final: bool
    size_bytes: SafeInt
    metrics: dict[str, float] | None
    card: str | None


class LogLine(Message):
    """One line of a job's log."""

    at: SafeInt
    node: Address | None
    text: str
