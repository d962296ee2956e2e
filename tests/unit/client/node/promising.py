"""An honest coordinator's promises about one round, for tests that then flip a field."""

from dataclasses import dataclass

from client.node.jobs.promises import Authority, Bounds
from client.node.records.journal import Kept
from client.node.work.contribution import prepare_contribution
from client.node.work.training import Trained
from ledger.commitment import extend_accumulator, start_accumulator
from ledger.eip712 import compute_domain
from ledger.signatures import Signer
from ledger.statements import Closing, Contribution, Receipt
from ledger.wire import CommitAssignment, ContributionRequest

NOW = 1_800_000_000
DOMAIN = compute_domain(31337, bytes([7]) * 20)
COORDINATOR = Signer(bytes([1]) * 32)
NODE = Signer(bytes([2]) * 32)
JOB = bytes([5]) * 32
BOUNDS = Bounds(places=8, commit_seconds=60, reveal_seconds=60, anchor_seconds=3_600, slack_seconds=0)
AUTHORITY = Authority(DOMAIN, COORDINATOR.address)
TRAINED = Trained(b"payload", 120, 0.5, 0.4, {"loss": "1.5", "seconds": "0.5"})


def make_work(round_number: int = 1, **changes: object) -> CommitAssignment:
    fields: dict[str, object] = {
        "job": JOB,
        "round": round_number,
        "parent": JOB,
        "base_model": bytes([6]) * 32,
        "seed_digest": bytes([8]) * 32,
        "opened_at": NOW - 10,
        "commit_deadline": NOW + 50,
        "reveal_seconds": 60,
        "clip": 40_960,
    }
    return CommitAssignment.model_validate(fields | changes)


def prepare(work: CommitAssignment, salt: bytes = bytes([9]) * 32, signer: Signer = NODE) -> Kept:
    return prepare_contribution(TRAINED, work, signer, DOMAIN, token_bytes=lambda _: salt, now=NOW)


def read_statement(kept: Kept) -> Contribution:
    return ContributionRequest.model_validate_json(kept.request).statement


@dataclass(frozen=True)
class Round:
    """The digests of a round in seq order, ours among them."""

    work: CommitAssignment
    digests: tuple[bytes, ...]

    def accumulate(self, count: int) -> bytes:
        accumulator = start_accumulator(self.work.job, self.work.round, self.work.parent)
        for digest in self.digests[:count]:
            accumulator = extend_accumulator(accumulator, digest)
        return accumulator

    def receipt(self, seq: int) -> Receipt:
        return Receipt(
            job=self.work.job,
            round=self.work.round,
            seq=seq,
            node=NODE.address,
            contribution=self.digests[seq],
            accumulator=self.accumulate(seq + 1),
            received_at=NOW,
            anchor_by=self.work.commit_deadline + self.work.reveal_seconds + BOUNDS.anchor_seconds,
        )

    def closing(self) -> Closing:
        return Closing(
            job=self.work.job,
            round=self.work.round,
            count=len(self.digests),
            accumulator=self.accumulate(len(self.digests)),
            closed_at=NOW + 20,
            seed_digest=self.work.seed_digest,
        )


def make_round(kept: Kept, work: CommitAssignment, seq: int = 2, count: int = 4) -> Round:
    others = [bytes([20 + number]) * 32 for number in range(count)]
    others[seq] = kept.contribution
    return Round(work, tuple(others))
