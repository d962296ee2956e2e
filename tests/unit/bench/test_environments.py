"""A peer in a process of its own: it answers, it fails, it ends; and every bench says that it is there."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import environments
from bench.benches import MINUTES, is_built, load
from bench.environments import (
    Environment,
    PeerMissing,
    PeerProcess,
    ask,
    node_environment,
    python_environment,
    started,
)
from bench.figures import Missing
from bench.measure import alternate, clocked, compare
from bench.report import Report

SCRIPT = """
import os
from bench.against.serving import seconds_each, serve
def divide(a, b):
    print("noise of a library")
    return a / b
serve({"divide": divide, "end": lambda: os._exit(3), "clock": lambda: seconds_each(lambda: None, times=10)})
"""


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[PeerProcess]:
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    environment = Environment("test", tmp_path, (sys.executable,))
    with PeerProcess(environment, [sys.executable, "script.py"]) as process:
        yield process


def test_peer_answers_calls_whatever_it_prints(peer: PeerProcess) -> None:
    assert peer.call("divide", a=6, b=3) == 2
    assert peer.call("clock") >= 0


def test_failing_call_is_said_and_the_peer_lives_on(peer: PeerProcess) -> None:
    with pytest.raises(PeerMissing, match="test: divide failed: ZeroDivisionError"):
        peer.call("divide", a=1, b=0)
    assert peer.call("divide", a=1, b=1) == 1


def test_ended_peer_is_said(peer: PeerProcess) -> None:
    with pytest.raises(PeerMissing, match="ended with 3 before it answered end"):
        peer.call("end")


def test_peer_that_cannot_be_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "PEERS", tmp_path / "peers")
    monkeypatch.setattr(environments, "CONSTRAINTS", tmp_path)
    (tmp_path / "broken.txt").write_text("-r no-such-file.txt\n", encoding="utf-8")
    report = Report("receipts", quick=True, about={}, results=tmp_path / "r.json")
    with pytest.raises(PeerMissing, match=r"broken: could not be installed: .*no-such-file"):
        python_environment("broken", report)
    assert not (tmp_path / "peers" / "broken" / "stamp").exists()


def test_machine_without_node_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_kwargs: None)
    report = Report("receipts", quick=True, about={}, results=tmp_path / "r.json")
    with pytest.raises(PeerMissing, match=r"expected Node\.js"):
        node_environment("openzeppelin", report)


def test_sides_take_turns_and_medians_are_told() -> None:
    order: list[str] = []
    values = iter([9.0, 1.0, 5.0, 2.0])

    def ours() -> float:
        order.append("ours")
        return next(values)

    def theirs() -> float:
        order.append("theirs")
        return 4.0

    assert alternate({"ours": ours, "theirs": theirs}, turns=3) == {"ours": 2.0, "theirs": 4.0}
    assert order == ["ours", "theirs"] * 4


def test_peers_stand_beside_ours_or_the_reason_why_they_do_not(peer: PeerProcess) -> None:
    peers = {
        "answers": ask(peer, "divide", a=6, b=3),
        "fails": ask(peer, "divide", a=1, b=0),
        "absent": ask(Missing("no network"), "divide"),
    }
    ours, theirs = compare(lambda: 5.0, peers, turns=3)
    assert ours == 5.0
    assert theirs == {
        "answers": 2.0,
        "fails": Missing("divide failed: ZeroDivisionError: division by zero"),
        "absent": Missing("no network"),
    }


def test_peer_that_cannot_be_built_or_started_is_missing(tmp_path: Path) -> None:
    report = Report("receipts", quick=True, about={}, results=tmp_path / "r.json")

    def build(name: str, _report: Report) -> Environment:
        if name == "broken":
            raise PeerMissing(name, "no wheel")
        return Environment(name, tmp_path, (str(tmp_path / "no-such-interpreter"),))

    with started(build, "broken", "x.py", report) as peer:
        assert peer == Missing("no wheel")
    with started(build, "whole", "x.py", report) as peer:
        assert isinstance(peer, Missing)
        assert peer.reason.startswith("could not be started")


def test_clock_tells_seconds_a_call() -> None:
    calls: list[None] = []
    assert clocked(lambda: calls.append(None), times=5)() >= 0
    assert len(calls) == 5


@pytest.mark.parametrize("name", [name for name in MINUTES if is_built(name)])
def test_every_bench_has_a_run(name: str) -> None:
    assert callable(load(name))


def test_all_benches_together_may_take_three_quarters_of_an_hour() -> None:
    assert sum(MINUTES.values()) <= 45
