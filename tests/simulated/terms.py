"""A spec and terms for simulated jobs."""

from dataclasses import dataclass, field
from random import Random

from ledger.eip712 import Domain, compute_domain
from ledger.signatures import Signer
from ledger.spec import Cohort, JobSpec, TaskChoice
from ledger.statements import Terms

CHAIN_ID = 31337
JOB_LEDGER = bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")
OPENED_AT = 1_800_000_000
TOKEN = bytes.fromhex("e7f1725e7734ce288f8367e1bb143e90bb3f0512")


@dataclass(frozen=True)
class Setting:
    """Where a job lives and who is behind it; `opened_at` is when its first round opens (unix seconds)."""

    domain: Domain
    coordinator: Signer
    requester: Signer
    token: bytes = TOKEN
    opened_at: int = OPENED_AT
    platform: Signer = field(default_factory=lambda: Signer(b"\x17" * 32))


def draw_signer(random: Random) -> Signer:
    """A key that the seed decides."""
    return Signer(random.randbytes(31) + b"\x01")


def draw_setting(random: Random) -> Setting:
    """A chain that does not exist, and new keys."""
    return Setting(compute_domain(CHAIN_ID, JOB_LEDGER), draw_signer(random), draw_signer(random))


def make_spec(random: Random, scoring_rule: str = "aumann-shapley") -> JobSpec:
    """A spec whose models and validation file nobody has."""
    return JobSpec(
        title="simulated",
        description="nobody trains here",
        task=TaskChoice("digits", {}),
        initial_model=random.randbytes(32),
        validation=None if scoring_rule == "by-weight" else random.randbytes(32),
        validation_positions=100,
        cohort=Cohort(2, 100),
        commit_seconds=30,
        reveal_seconds=30,
        weight_rule="equal",
        clip_norm="10",
        fraction_bits=12,
        server_rate="1",
        server_momentum="0",
        aggregation_rule="mean",
        scoring_rule=scoring_rule,
        evidence_readers="public",
        retention_seconds=3600,
        verifiable=False,
    )


def make_terms(spec: JobSpec, setting: Setting, rounds: int) -> Terms:
    """Terms that pay a token per nat, up to a token per round."""
    return Terms(
        spec_digest=spec.digest(),
        requester=setting.requester.address,
        coordinator=setting.coordinator.address,
        token=setting.token,
        rounds=rounds,
        budget_per_round=10**18,
        price_per_nat=10**18,
        window=60,
        anchor_seconds=86_400,
        bond=10**18,
        min_stake=0,
        witnesses=bytes(32),
        threshold=0,
        nonce=0,
    )
