"""A spec and terms for simulated jobs."""

from random import Random

from ledger.signatures import Signer
from ledger.spec import Cohort, JobSpec, TaskChoice
from ledger.statements import Terms

TOKEN = bytes.fromhex("e7f1725e7734ce288f8367e1bb143e90bb3f0512")


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


def make_terms(spec: JobSpec, requester: Signer, coordinator: Signer, rounds: int) -> Terms:
    """Terms that pay a token per nat, up to a token per round."""
    return Terms(
        spec_digest=spec.digest(),
        requester=requester.address,
        coordinator=coordinator.address,
        token=TOKEN,
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
