"""Jobs of any size and any luck: an honest one has no fault and no gap, and a lie at any place of it is found."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger.faults.finding import find_faults
from ledger.faults.gaps import find_gaps
from tests.dishonest.lies import LIES, Lie
from tests.simulated.job import SimulatedJob
from tests.simulated.lying import draft_round, know_job

NOT_FOR_VOID = {"learn from nothing", "void one", "misjudge"}


@st.composite
def jobs(draw: st.DrawFn) -> SimulatedJob:
    """Two or three rounds in which nodes hide, stay away, or leave too few for more than a void round."""
    nodes = draw(st.integers(1, 9))
    rule = draw(st.sampled_from(["aumann-shapley", "by-weight"]))
    job = SimulatedJob(nodes, rounds=3, scoring_rule=rule, seed=draw(st.integers(0, 1_000)))
    for _ in range(draw(st.integers(2, 3))):
        some = st.lists(st.integers(0, nodes - 1), unique=True, max_size=nodes - 1)
        job.play(hidden=draw(some), absent=draw(some))
    return job


@given(jobs())
@settings(max_examples=30)
def test_honest_job_has_no_fault_and_no_gap(job: SimulatedJob) -> None:
    case = know_job(job)
    assert list(find_faults(case)) == []
    assert [seq for known in case.rounds.values() for seq in find_gaps(case, known)] == []


@given(jobs(), st.sampled_from(LIES), st.data())
@settings(max_examples=60)
def test_lie_is_found(job: SimulatedJob, lie: Lie, data: st.DataObject) -> None:
    draft = draft_round(job, 2)
    count = len(draft.entries)
    seq = data.draw(st.integers(0, count - 1))
    stands = draft.entries[seq].body.previous_round > 0
    paid = draft.entries[seq].body.verdict == 0
    assume(paid or lie.name not in NOT_FOR_VOID)
    assume(stands or lie.name != "forget")
    # These need a second place, a last place that is padding, or another entry beside the one that is bent.
    assume(count > 1 or lie.name not in {"omit", "give two places", "void one"})
    assume(count & (count - 1) or lie.name not in {"hide leaf", "hide double"})
    lie.tell(draft, seq)
    case = know_job(job, draft)
    faults = list(find_faults(case))
    assert {fault.round for fault in faults} <= {2}
    if lie.faults:
        assert {type(fault) for fault in faults} & set(lie.faults)
    else:
        assert list(find_gaps(case, case.rounds[2]))
