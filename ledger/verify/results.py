"""What a check found: pass, fail or unknown, with the place and the operands.

A pass has to be earned: a check that nobody answered is unknown, and one contradiction fails it however much else fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger.errors import show

MAX_SHOWN: Final = 20
"""Contradictions listed per check and round; what is beyond is counted."""


class Outcome(StrEnum):
    """Unknown means that it could not be checked: neither true nor false."""

    PASS = "pass"  # noqa: S105  an answer, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """One answer: of check `check` about `round` (None: the job), at `seq` where one entry is meant.

    `items` says how many things a pass looked at, or how many contradictions a fail stands for.
    """

    check: str
    outcome: Outcome
    round: int | None = None
    seq: int | None = None
    detail: str = ""
    expected: str | None = None
    got: str | None = None
    items: int = 1

    def to_json(self) -> dict[str, object]:
        """Returns the fields by name, as `--json` prints them."""
        return {
            "check": self.check,
            "outcome": self.outcome.value,
            "round": self.round,
            "seq": self.seq,
            "detail": self.detail,
            "expected": self.expected,
            "got": self.got,
            "items": self.items,
        }


class Findings:
    """Collects what the checks of one round (or of the job, `round` None) find, and answers for each of them."""

    def __init__(self, round_number: int | None) -> None:
        self.round = round_number
        self._fails: dict[str, list[Result]] = {}
        self._fail_counts: dict[str, int] = {}
        self._unknowns: dict[str, str] = {}
        self._seen: dict[str, int] = {}
        self._remarks: dict[str, str] = {}

    def expect(self, check: str, expected: object, got: object, detail: str, seq: int | None = None) -> bool:
        """Counts one look, and a contradiction unless the operands are equal. Returns whether they are."""
        self._seen[check] = self._seen.get(check, 0) + 1
        if expected == got:
            return True
        self.fail(check, detail, seq, show(expected), show(got))
        return False

    def fail(
        self, check: str, detail: str, seq: int | None = None, expected: str | None = None, got: str | None = None
    ) -> None:
        """Records a contradiction."""
        self._fail_counts[check] = self._fail_counts.get(check, 0) + 1
        shown = self._fails.setdefault(check, [])
        if len(shown) < MAX_SHOWN:
            shown.append(Result(check, Outcome.FAIL, self.round, seq, detail, expected, got))

    def note(self, check: str, items: int = 1, remark: str = "") -> None:
        """Says that `items` things were looked at: without this (or `expect`) a check never passes."""
        self._seen[check] = self._seen.get(check, 0) + items
        if remark:
            self._remarks[check] = remark

    def leave(self, checks: str | Iterable[str], reason: str) -> None:
        """Says why checks could not be made; a contradiction found elsewhere in them still counts."""
        for check in (checks,) if isinstance(checks, str) else checks:
            self._unknowns.setdefault(check, reason)

    def has_failed(self, *checks: str) -> bool:
        """Whether one of these checks, or any if none is named, has found a contradiction."""
        return any(check in self._fails for check in checks) if checks else bool(self._fails)

    def answer(self, checks: Iterable[str]) -> list[Result]:
        """Returns at least one result for each check, in the order given."""
        return [result for check in checks for result in self._answer(check)]

    def _answer(self, check: str) -> list[Result]:
        if check in self._fails:
            rest = self._fail_counts[check] - len(self._fails[check])
            more = Result(check, Outcome.FAIL, self.round, detail=f"and {rest} more like these", items=rest)
            return self._fails[check] + ([more] if rest else [])
        if check in self._unknowns or check not in self._seen:
            reason = self._unknowns.get(check, "this check was not reached")
            return [Result(check, Outcome.UNKNOWN, self.round, detail=reason, items=0)]
        return [Result(check, Outcome.PASS, self.round, detail=self._remarks.get(check, ""), items=self._seen[check])]
