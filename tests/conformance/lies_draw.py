"""Lies about who was in the round, and why."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from client.auditor.evidence.bundle import name_round
from ledger import evidence
from ledger.draw import Draw
from ledger.hashing import keccak256
from tests.conformance.case import UNKNOWN as NOT_KNOWN
from tests.conformance.case import Case, drop
from tests.conformance.draft import LAST, Draft

OTHER = keccak256(b"something else")
STRANGER = OTHER[:20]


def list_draw() -> Iterator[Case]:
    for what, change in (
        ("another-seed", lambda draw: replace(draw, seed=OTHER)),
        ("contributor-left-out", lambda draw: replace(draw, admitted=draw.admitted[1:])),
        ("admitted-and-joined", lambda draw: replace(draw, joined=draw.admitted[:1])),
        ("absent-though-room", lambda draw: replace(draw, absent=(STRANGER,))),
        ("drawn-though-room", lambda draw: replace(draw, drawn=True, population=9)),
        ("older-than-the-last", lambda draw: replace(draw, block=draw.block - 2, block_hash=OTHER)),
        ("not-by-address", lambda draw: replace(draw, admitted=draw.admitted[::-1])),
    ):
        yield Case("cohort-draw", what, _bend(change))
    yield Case("cohort-draw", "missing-byte", _cut)
    yield Case("cohort-draw", "left-out", lambda _: drop(name_round(LAST, evidence.DRAW)), outcome=NOT_KNOWN)


def _bend(change: Callable[[Draw], Draw]) -> Callable[[Draft], None]:
    def lie(draft: Draft) -> None:
        draft.arrays[evidence.DRAW] = change(Draw.from_bytes(draft.arrays[evidence.DRAW])).to_bytes()

    return lie


def _cut(draft: Draft) -> None:
    draft.arrays[evidence.DRAW] = draft.arrays[evidence.DRAW][:-1]
