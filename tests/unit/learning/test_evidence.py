from dataclasses import replace

import numpy as np
import pytest

from learning.evidence import OutcomeAccount, read_gradient, read_moments, write_evidence
from learning.gradient import MalformedGradient, PublicGradient
from learning.round import RoundInputs, RoundOutcome, Void, run_round
from learning.tensors import MalformedArrays, write_arrays
from ledger import canonical
from ledger.errors import MalformedJson
from tests.unit.learning.digits_job import make_job, reveal


@pytest.fixture(scope="module")
def inputs() -> RoundInputs:
    job = make_job()
    begin = job.begin()
    return replace(begin, contributions=reveal(job.train(begin.base, begin.state.clip, 1)))


@pytest.fixture(scope="module")
def outcome(inputs: RoundInputs) -> RoundOutcome:
    return run_round(inputs)


def test_evidence_of_a_round_is_read_back(inputs: RoundInputs, outcome: RoundOutcome) -> None:
    files = write_evidence(outcome)
    assert sorted(files) == [
        "aggregate.safetensors",
        "gradient.safetensors",
        "momentum.safetensors",
        "outcome.json",
        "screening.json",
    ]
    gradient = read_gradient(files, inputs.base.size)
    assert gradient is not None
    assert outcome.gradient is not None
    assert (gradient.values.tolist(), gradient.scale) == (outcome.gradient.values.tolist(), outcome.gradient.scale)
    moments = read_moments(files["momentum.safetensors"], inputs.base.size, inputs.rules)
    assert np.array_equal(moments.momentum, outcome.state.momentum)
    account = OutcomeAccount.from_bytes(files["outcome.json"])
    assert account == OutcomeAccount.of(outcome)
    assert (account.clip, account.next_clip, account.void) == (outcome.clip, outcome.state.clip, None)


def test_evidence_of_a_void_round_has_no_arrays(inputs: RoundInputs) -> None:
    files = write_evidence(run_round(replace(inputs, contributions=[])))
    assert sorted(files) == ["outcome.json", "screening.json"]
    account = OutcomeAccount.from_bytes(files["outcome.json"])
    assert (account.void, account.sample_digest, account.loss_before) == (Void.TOO_FEW, None, None)
    assert read_gradient(files, inputs.base.size) is None


def test_auditor_agrees_with_the_published_gradient_and_repeats_the_scores(
    inputs: RoundInputs, outcome: RoundOutcome
) -> None:
    audited = run_round(inputs, read_gradient(write_evidence(outcome), inputs.base.size))
    assert audited.check is not None
    assert audited.check.agrees
    assert audited.judged == outcome.judged
    assert write_evidence(audited) == write_evidence(outcome)


def test_auditor_disagrees_with_a_forged_gradient_but_scores_by_it(inputs: RoundInputs, outcome: RoundOutcome) -> None:
    assert outcome.gradient is not None
    values = outcome.gradient.values.copy()
    assert outcome.aggregate is not None
    moved = np.flatnonzero(np.abs(outcome.aggregate) > 1000)
    place = moved[np.argmin(np.abs(values[moved]))]
    values[place] += 1000
    forged = PublicGradient(values, outcome.gradient.scale)
    audited = run_round(inputs, forged)
    assert audited.check is not None
    assert not audited.check.agrees
    assert audited.check.largest_difference == 1000
    assert audited.gradient is forged
    assert audited.judged != outcome.judged
    assert audited.model_bytes == outcome.model_bytes


def test_account_agrees_up_to_the_last_digits_of_the_losses(outcome: RoundOutcome) -> None:
    account = OutcomeAccount.of(outcome)
    near = replace(account, loss_before=f"{float(account.loss_before or 0) + 1e-8:.9f}")
    far = replace(account, loss_before=f"{float(account.loss_before or 0) + 1e-4:.9f}")
    assert account.agrees(near)
    assert not account.agrees(far)
    assert not account.agrees(replace(account, halvings=1))
    assert not account.agrees(replace(account, loss_after=None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clip", "5"),
        ("halvings", None),
        ("void", "because"),
        ("void", 3),
        ("sampleDigest", "0x12"),
        ("scale", "3"),
        ("lossBefore", 3),
        ("lossAfter", "1e9"),
        ("lossAfter", "nan"),
        ("lossAfter", "2.5"),
        ("more", 1),
    ],
)
def test_account_with_another_value_is_refused(outcome: RoundOutcome, name: str, value: object) -> None:
    fields = canonical.decode(OutcomeAccount.of(outcome).to_bytes())
    assert isinstance(fields, dict)
    with pytest.raises(ValueError, match="expected"):
        OutcomeAccount.from_bytes(canonical.encode({**fields, name: value}))


def test_account_that_is_not_canonical_is_refused(outcome: RoundOutcome) -> None:
    with pytest.raises(MalformedJson, match="RFC 8785"):
        OutcomeAccount.from_bytes(OutcomeAccount.of(outcome).to_bytes() + b" ")


def test_gradient_file_with_another_array_is_refused(inputs: RoundInputs, outcome: RoundOutcome) -> None:
    files = write_evidence(outcome)
    size = inputs.base.size
    with pytest.raises(MalformedArrays, match=r"gradient\.safetensors"):
        read_gradient({**files, "gradient.safetensors": files["aggregate.safetensors"]}, size)
    small = write_arrays({"gradient": np.ones(size, np.int32)})
    with pytest.raises(MalformedGradient, match="largest element"):
        read_gradient({**files, "gradient.safetensors": small}, size)
