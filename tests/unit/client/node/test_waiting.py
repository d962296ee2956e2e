"""Whoever waits for the relay is told for what, after a few looks, and again when the reason changes."""

from collections.abc import Iterator

import pytest

from client.node.operator.claiming import _wait
from client.node.operator.joining import PatientTeller
from ledger.wire import ClaimView


def make_view(state: str, detail: str = "") -> ClaimView:
    return ClaimView.model_construct(
        claim=1, job=bytes(32), round=1, node=bytes(20), state=state, amount=5, detail=detail
    )


class Coordinator:
    """Answers each question about the claim with the next view; the last one for ever."""

    def __init__(self, views: Iterator[ClaimView]) -> None:
        self.api = self
        self._views = views

    def fetch(self, _: object) -> ClaimView:
        return next(self._views)


def test_waiting_claim_is_told_with_its_reason_and_no_more_often_than_it_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    views = [make_view("queued")] * 8 + [make_view("queued", "no gas")] * 3 + [make_view("sent"), make_view("paid")]
    waits: list[float] = []
    (done,) = _wait(Coordinator(iter(views)), [make_view("queued")], waits.append)  # type: ignore[arg-type]  # its api is enough
    told = capsys.readouterr().err.splitlines()
    assert (done.state, len(waits)) == ("paid", 13)
    assert [("no gas" in line) for line in told] == [False, True, False]
    assert all(line.startswith("1 claims wait for the coordinator's transaction") for line in told)


def test_quick_claim_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    views = [make_view("sent"), make_view("paid")]
    _wait(Coordinator(iter(views)), [make_view("queued")], lambda _: None)  # type: ignore[arg-type]  # its api is enough
    assert capsys.readouterr().err == ""


def test_slow_registration_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    tell = PatientTeller()
    for _ in range(20):
        tell(0, 1)
    assert capsys.readouterr().err.count("waiting for the coordinator's transaction") == 1
    quick = PatientTeller()
    for _ in range(20):
        quick(1, 1)
    assert capsys.readouterr().err == ""
