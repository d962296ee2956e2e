"""Rounds in which no step brought the loss down: the momentum is dropped, the job goes on, nothing is given away."""

from dataclasses import replace

from learning.quantise import quantise
from learning.round import Void, run_round
from tests.unit.learning.digits_job import beacon, make_job, reveal


def test_job_whose_momentum_overshoots_recovers() -> None:
    """Nodes with two digits each, and a momentum that outgrows what any of its rounds would undo.

    The round after the void one takes the step of its own updates; with the momentum kept it would be void as well, and
    so would every round after it.
    """
    job = make_job(nodes=8, concentration=0.1, server_momentum="0.9")
    inputs, outcome = job.begin(), None
    for number in range(1, 20):
        inputs = replace(
            inputs,
            beacon=beacon(number),
            contributions=reveal(job.train(inputs.base, inputs.state.clip, number)),
        )
        outcome = run_round(inputs)
        if outcome.void is not None:
            break
        inputs = replace(inputs, base=outcome.model, state=outcome.state)
    assert outcome is not None
    assert outcome.void is Void.LOSS_DID_NOT_FALL
    overshot = inputs.state.momentum
    assert overshot.any()
    assert not outcome.state.momentum.any()
    following = replace(
        inputs,
        state=outcome.state,
        beacon=beacon(20),
        contributions=reveal(job.train(inputs.base, inputs.state.clip, 20)),
    )
    assert run_round(following).void is None
    stuck = run_round(replace(following, state=replace(outcome.state, momentum=overshot)))
    assert stuck.void is Void.LOSS_DID_NOT_FALL


def test_dropped_momentum_cannot_be_replayed_for_pay() -> None:
    """It is no public direction of its own any more, and still is one: the last move of the model went along it."""
    job = make_job(nodes=3, server_momentum="0.5")
    inputs = job.begin()
    for number in (1, 2):
        updates = job.train(inputs.base, inputs.state.clip, number)
        outcome = run_round(replace(inputs, contributions=reveal(updates)))
        inputs = replace(inputs, base=outcome.model, state=outcome.state, beacon=beacon(number + 1))
    momentum = inputs.state.momentum
    uphill = [-update for update in job.train(inputs.base, inputs.state.clip, 3)]
    void = run_round(replace(inputs, contributions=reveal(uphill)))
    assert void.void is Void.LOSS_DID_NOT_FALL
    honest = job.train(inputs.base, inputs.state.clip, 4)
    replay = quantise(1e3 * momentum, 12, inputs.state.clip)
    judged = run_round(replace(inputs, state=void.state, contributions=reveal([*honest, replay]))).judged
    assert abs(judged[-1].score) < 0.02 * max(abs(one.score) for one in judged)
