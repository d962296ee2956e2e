"""A job of four rounds with every statement signed, from fixed keys: the longest of the golden vectors.

The rounds cover gains, a debt and its paying back, a node that skips a round, an unrevealed contribution, a void round.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.commitment import (
    Opening,
    compute_beacon,
    compute_seed_digest,
    extend_accumulator,
    start_accumulator,
)
from ledger.eip712 import compute_domain
from ledger.entry import Standing, Verdict
from ledger.hashing import keccak256, sha256
from ledger.signatures import Signer
from ledger.statements import Closing, Contribution, Receipt, RoundHeader, Signed, Terms
from ledger.tally import Judgement, Tally, compute_signatures_digest, compute_tally

CHAIN_ID = 31337
NAT = 1 << 40
ZERO = bytes(32)


def derive(label: str) -> bytes:
    """Returns 32 bytes that stand for a label."""
    return keccak256(f"tallystick golden {label}".encode())


def derive_address(label: str) -> bytes:
    """Returns 20 bytes that stand for a label."""
    return derive(label)[12:]


def private_key(name: str) -> bytes:
    """Returns a key that everyone knows; it holds nothing anywhere."""
    return derive(f"key of {name}")


GOLDEN_NAMES = ("coordinator", "node0", "node1", "node2", "node3", "node4", "operator", "platform", "requester")
SIGNERS = {name: Signer(private_key(name)) for name in GOLDEN_NAMES}
COORDINATOR = SIGNERS["coordinator"]
LEDGER_ADDRESS = derive_address("JobLedger")
REGISTRY_ADDRESS = derive_address("NodeRegistry")
JOB_LEDGER = compute_domain(CHAIN_ID, LEDGER_ADDRESS)
NODE_REGISTRY = compute_domain(CHAIN_ID, REGISTRY_ADDRESS)

# Per round: node, verdict, score in 2^-40 nats; weight 1 where accepted.
_ACCEPTED = Verdict.ACCEPTED
STORY: tuple[tuple[tuple[str, Verdict, int], ...], ...] = (
    (
        ("node3", _ACCEPTED, NAT // 5),
        ("node0", _ACCEPTED, NAT // 3),
        ("node1", _ACCEPTED, -NAT // 7),
        ("node4", Verdict.UNREVEALED, 0),
        ("node2", _ACCEPTED, 0),
    ),
    (
        ("node1", _ACCEPTED, NAT // 4),
        ("node0", _ACCEPTED, -NAT // 10),
        ("node4", _ACCEPTED, NAT // 9),
    ),
    (
        ("node2", Verdict.VOID, 0),
        ("node0", Verdict.VOID, 0),
    ),
    (
        ("node0", _ACCEPTED, NAT // 6),
        ("node1", _ACCEPTED, 3 * NAT),
        ("node2", Verdict.NORM, 0),
        ("node3", _ACCEPTED, -1),
    ),
)


@dataclass(frozen=True)
class PlayedRound:
    """A round with all that was signed in it."""

    contributions: list[Signed[Contribution]]
    openings: list[Opening]
    receipts: list[Signed[Receipt]]
    closing: Signed[Closing]
    seed: bytes
    tally: Tally
    header: Signed[RoundHeader]


def make_terms() -> Terms:
    return Terms(
        spec_digest=sha256(b"golden spec"),
        requester=SIGNERS["requester"].address,
        coordinator=COORDINATOR.address,
        token=derive_address("token"),
        rounds=4,
        budget_per_round=10**18,
        price_per_nat=2 * 10**18,
        window=3_600,
        anchor_seconds=86_400,
        bond=5 * 10**18,
        min_stake=0,
        witnesses=ZERO,
        threshold=0,
        nonce=1,
    )


def play_job() -> tuple[Terms, list[PlayedRound]]:
    """Returns the terms and the rounds in order."""
    terms = make_terms()
    job = terms.job_id()
    played: list[PlayedRound] = []
    standings: dict[bytes, Standing] = {}
    parent, base_model = job, sha256(b"golden model 0")
    for round_number, story in enumerate(STORY, start=1):
        void = story[0][1] is Verdict.VOID
        next_model = base_model if void else sha256(f"golden model {round_number}".encode())
        played.append(_play_round(terms, round_number, parent, (base_model, next_model), standings))
        standings.update(played[-1].tally.standings())
        parent, base_model = played[-1].header.statement.digest(JOB_LEDGER), next_model
    return terms, played


def _play_round(
    terms: Terms, number: int, parent: bytes, models: tuple[bytes, bytes], standings: dict[bytes, Standing]
) -> PlayedRound:
    job, opened_at = terms.job_id(), 1_800_000_000 + 1_000 * number
    accumulator = start_accumulator(job, number, parent)
    contributions, openings, receipts = [], [], []
    for seq, (name, _, _) in enumerate(STORY[number - 1]):
        label = f"of {name} in round {number}"
        opening = Opening(sha256(f"payload {label}".encode()), ZERO, derive(f"salt {label}"))
        node = SIGNERS[name]
        report = sha256(f"report {label}".encode())
        contribution = Signed.issue(
            Contribution(job, number, node.address, parent, models[0], opening.struct_hash(), 100 + seq, report),
            JOB_LEDGER,
            node,
        )
        digest = contribution.statement.digest(JOB_LEDGER)
        accumulator = extend_accumulator(accumulator, digest)
        anchor_by = opened_at + 60 + 60 + terms.anchor_seconds
        receipt = Receipt(job, number, seq, node.address, digest, accumulator, opened_at + seq, anchor_by)
        contributions.append(contribution)
        openings.append(opening)
        receipts.append(Signed.issue(receipt, JOB_LEDGER, COORDINATOR))
    seed = derive(f"seed {number}")
    closing = Closing(job, number, len(receipts), accumulator, opened_at + 60, compute_seed_digest(seed))
    tally = _compute_tally(terms, number, contributions, receipts, standings)
    beacon = _compute_beacon(number, accumulator, seed, openings)
    header = RoundHeader(
        job=job,
        round=number,
        parent=parent,
        base_model=models[0],
        next_model=models[1],
        entries_root=tally.tree().root,
        accumulator=accumulator,
        count=len(receipts),
        total_weight=tally.totals.weight,
        total_score=tally.totals.score,
        total_gain=tally.totals.gain,
        total_reward=tally.totals.reward,
        aggregate=ZERO,
        evidence=sha256(f"golden evidence {number}".encode()),
        beacon=beacon,
        opened_at=opened_at,
        closed_at=opened_at + 60,
    )
    return PlayedRound(
        contributions,
        openings,
        receipts,
        Signed.issue(closing, JOB_LEDGER, COORDINATOR),
        seed,
        tally,
        Signed.issue(header, JOB_LEDGER, COORDINATOR),
    )


def _compute_beacon(number: int, accumulator: bytes, seed: bytes, openings: list[Opening]) -> bytes:
    story = STORY[number - 1]
    if story[0][1] is Verdict.VOID:
        return ZERO
    salts = [
        opening.salt
        for opening, (_, verdict, _) in zip(openings, story, strict=True)
        if verdict not in (Verdict.UNREVEALED, Verdict.NOT_OPENED)
    ]
    return compute_beacon(accumulator, seed, salts)


def _compute_tally(
    terms: Terms,
    number: int,
    contributions: list[Signed[Contribution]],
    receipts: list[Signed[Receipt]],
    standings: dict[bytes, Standing],
) -> Tally:
    judgements = [
        Judgement(
            node=contribution.statement.node,
            contribution_digest=contribution.statement.digest(JOB_LEDGER),
            signatures_digest=compute_signatures_digest(contribution.signature, receipt.signature),
            verdict=verdict,
            weight=1 if verdict is Verdict.ACCEPTED else 0,
            score=score,
        )
        for contribution, receipt, (_, verdict, score) in zip(contributions, receipts, STORY[number - 1], strict=True)
    ]
    return compute_tally(terms.budget_per_round, terms.price_per_nat, judgements, standings, number)
