"""What a watchtower keeps and reads: its place, the archive, promises of nodes; and what it says."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from client.auditor.watch.archive import Archive
from client.auditor.watch.held import load_promises
from client.auditor.watch.metrics import parse_listen
from client.auditor.watch.outcomes import describe_fault, describe_round, judge, record
from client.auditor.watch.place import Bounty, Demanded, Place, PlaceUnusable, WatchedRound
from client.auditor.watch.telling import Teller
from client.errors import UsageRefused
from ledger.faults.faults import DemandUnanswered, RewardWrong
from ledger.faults.finding import find_faults
from ledger.faults.gaps import find_gaps
from ledger.verify.results import Outcome, Result
from tests.dishonest.lies import LIES
from tests.simulated.job import SimulatedJob
from tests.simulated.lying import draft_round, know_job, play_honest

LEDGER, JOB = b"\x01" * 20, b"\x02" * 32


@pytest.fixture(scope="module")
def job() -> SimulatedJob:
    return play_honest()


def make_round(job: SimulatedJob, **changes: object) -> WatchedRound:
    header = job.rounds[0].header.statement
    known = WatchedRound(header, final_at=1_800_000_100, window_end=1_800_000_100, posted_at=1_800_000_040, block=7)
    for name, value in changes.items():
        setattr(known, name, value)
    return known


def test_place_comes_back_as_it_was_kept(tmp_path: Path, job: SimulatedJob) -> None:
    place = Place(31337, LEDGER, JOB, job.terms)
    place.rounds[1] = make_round(job, outcome="fail", failed=["carry"], unknown=["scores"], faults=2, complete=True)
    place.blocks = [(7, b"\x07" * 32), (9, b"\x09" * 32)]
    place.demands = [Demanded(1, 3, 1_800_000_080, 8, answered_in=9)]
    place.bounties = [Bounty(b"\x05" * 32, 1_800_000_090, 9)]
    place.struck, place.told = (1, 9), ["0x05"]
    path = tmp_path / "place.json"
    place.save(path)
    assert Place.load(path, 31337, LEDGER, JOB) == place


def test_place_that_is_not_there_is_new(tmp_path: Path) -> None:
    assert Place.load(tmp_path / "none.json", 1, LEDGER, JOB) == Place(1, LEDGER, JOB)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "rounds": 3}', "nonsense"])
def test_file_that_is_no_place_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "place.json"
    path.write_text(content)
    with pytest.raises(PlaceUnusable, match="move the file away"):
        Place.load(path, 1, LEDGER, JOB)


def test_place_of_another_chain_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    Place(1, LEDGER, JOB).save(path)
    with pytest.raises(PlaceUnusable, match="another chain, ledger or job"):
        Place.load(path, 2, LEDGER, JOB)


def test_archive_keeps_known_names_only_and_forgets(tmp_path: Path, job: SimulatedJob) -> None:
    archive, files = Archive(tmp_path), job.rounds[0].bundle.files
    archive.save_round(1, {**files, "../../evil.json": b"x"}, {"a.json": b"{}"})
    assert archive.load_round(1) == files
    assert archive.load_replies(1) == [b"{}"]
    assert not list(tmp_path.parent.glob("evil.json"))
    archive.forget(1)
    assert archive.load_round(1) == {}
    archive.save_job(job.job_files())
    assert archive.load_job() == job.job_files()


def test_promises_are_read_from_a_list_or_from_what_nodes_write(tmp_path: Path, job: SimulatedJob) -> None:
    draft = draft_round(job, 1)
    listed, written = tmp_path / "list.json", tmp_path / "written.json"
    listed.write_text(json.dumps([draft.receipts[0].to_json()]))
    closing = draft.closing.signed
    written.write_text(
        json.dumps({"receipts": [draft.receipts[1].to_json()], "closings": [closing.to_json()], "headers": []})
    )
    held = load_promises([listed, written])
    assert (held.receipts, held.closings, held.headers) == (tuple(draft.receipts[:2]), (closing,), ())


@pytest.mark.parametrize(
    "content", ["", "3", '{"receipts": 3}', '{"other": []}', '[{"statement": {}, "signature": "0x"}]', "[" * 100_000]
)
def test_file_that_holds_no_promises_is_wrong_use(tmp_path: Path, content: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(content)
    with pytest.raises(UsageRefused, match="--receipts"):
        load_promises([path])


@pytest.mark.parametrize(
    ("text", "place"), [("0", ("127.0.0.1", 0)), ("9477", ("127.0.0.1", 9477)), ("192.0.2.1:80", ("192.0.2.1", 80))]
)
def test_metrics_listen_on_loopback_unless_told_otherwise(text: str, place: tuple[str, int]) -> None:
    assert parse_listen(text) == place


@pytest.mark.parametrize("text", ["", "x", "70000", "1.2.3.4:", ":-1"])
def test_other_places_for_metrics_are_wrong_use(text: str) -> None:
    with pytest.raises(UsageRefused, match="--metrics"):
        parse_listen(text)


def test_pass_has_to_be_earned(job: SimulatedJob) -> None:
    assert judge(make_round(job)) == "unknown"
    assert judge(make_round(job, complete=True)) == "pass"
    assert judge(make_round(job, complete=True, unknown=["scores"])) == "unknown"
    assert judge(make_round(job, complete=True, failed=["carry"], unknown=["scores"])) == "fail"
    assert judge(make_round(job, complete=True, faults=1)) == "fail"


def test_later_look_replaces_only_what_it_looked_at(job: SimulatedJob) -> None:
    known = make_round(job, failed=["carry", "scores"], unknown=["beacon", "screening"])
    record(known, [Result("carry", Outcome.PASS), Result("beacon", Outcome.FAIL), Result("opening", Outcome.UNKNOWN)])
    assert (known.failed, known.unknown) == (["beacon", "scores"], ["opening", "screening"])


def test_any_count_that_a_header_claims_is_looked_at_lazily(job: SimulatedJob) -> None:
    case = know_job(job)
    huge = replace(case.rounds[1], header=replace(case.rounds[1].header, count=1 << 62), entries=())
    assert list(islice(find_gaps(case, huge), 3)) == [0, 1, 2]


def test_no_word_of_success_where_nothing_was_checked(job: SimulatedJob) -> None:
    unknown = describe_round(make_round(job, outcome="unknown", unknown=["scores"]))
    false = describe_round(make_round(job, outcome="fail", failed=["carry"], faults=2))
    assert "NOT CHECKED: scores" in unknown
    assert "CONTRADICTION: carry; 2 provable on chain" in false
    assert "passed" not in unknown + false


def test_round_that_waits_for_witnesses_names_no_time(job: SimulatedJob) -> None:
    line = describe_round(make_round(job, outcome="pass", complete=True, final_at=2**64 - 1))
    assert line.endswith("waits for its witnesses")


def test_fault_is_told_with_its_place(job: SimulatedJob) -> None:
    draft = draft_round(job, 1)
    next(lie for lie in LIES if lie.name == "overpay").tell(draft, 2)
    fault = next(fault for fault in find_faults(know_job(job, draft)) if isinstance(fault, RewardWrong))
    assert describe_fault(fault) == "round 1, entry 2: FAULT reward-wrong: an entry is paid by another formula"
    assert describe_fault(DemandUnanswered(3, 9)).startswith("round 3, entry 9: FAULT demand-unanswered")


def test_lines_are_for_people_or_one_object_each() -> None:
    lines: list[str] = []
    Teller(lambda: 0.0, write=lines.append).tell(JOB, "round", "round 1: fine", round=1)
    assert lines == ["1970-01-01T00:00:00Z 0x02020202… round 1: fine"]
    teller = Teller(lambda: 0.0, as_json=True, write=lines.append)
    teller.tell(JOB, "fault", "bad", fault="carry-wrong", id=b"\x01")
    assert json.loads(lines[1]) == {
        "at": "1970-01-01T00:00:00Z",
        "event": "fault",
        "job": "0x" + JOB.hex(),
        "fault": "carry-wrong",
        "id": "0x01",
        "detail": "bad",
    }
    assert teller.counts == {("fault", "carry-wrong"): 1}
