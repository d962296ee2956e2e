"""What an audit came to: every result, and the one number that a program reads first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from client.auditor.checks import ALL_CHECKS, CHAIN_CHECKS, POPULATION_CHECKS, RECOMPUTED_CHECKS, WAITING_CHECKS
from client.auditor.dues import Due
from ledger.hexadecimal import to_address, to_hex
from ledger.verify.results import Outcome, Result

PASSED: Final = 0
CONTRADICTED: Final = 1
NOT_CHECKED: Final = 3


@dataclass(frozen=True, slots=True)
class Report:
    """The answers of an audit of rounds `first` to `last` of a job, as of `block` of the chain.

    `recomputed` and `chained` say whether recomputation and the chain were asked for: otherwise their checks are not
    required. `seconds` is the time by step; `said` is what the coordinator says of itself, which decided nothing.
    `pending` rounds are signed and not on chain yet, `chain` says how the chain was read or why not, `dues` lists who
    was paid another sum than follows. `roomy` rounds had room for all, and the registry was not there to ask.
    """

    job: bytes
    chain_id: int
    job_ledger: bytes
    block: int
    first: int
    last: int
    recomputed: bool
    results: Sequence[Result] = field(repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    chained: bool = True
    pending: Sequence[int] = ()
    chain: str = ""
    dues: Sequence[Due] = field(default=(), repr=False)
    roomy: Sequence[int] = ()

    def is_required(self, check: str) -> bool:
        """Whether the audit has to answer this check to pass."""
        return (self.recomputed or check not in RECOMPUTED_CHECKS) and (self.chained or check not in CHAIN_CHECKS)

    def is_needed(self, result: Result) -> bool:
        """Whether this answer counts: a round that waits for its anchor has none yet, if others have theirs.

        Nor does who was registered where nobody was left out and only a bundle is there to say.
        """
        if result.check in POPULATION_CHECKS and result.outcome is Outcome.UNKNOWN and result.round in self.roomy:
            return False
        waits = result.round in self.pending and result.check in WAITING_CHECKS and result.outcome is Outcome.UNKNOWN
        return self.is_required(result.check) and not (waits and self.first not in self.pending)

    @property
    def first_failing(self) -> int | None:
        """The first round that is contradicted, None where none is."""
        return min((result.round for result in self.find(Outcome.FAIL) if result.round is not None), default=None)

    def find(self, outcome: Outcome) -> list[Result]:
        """The results with this outcome."""
        return [result for result in self.results if result.outcome is outcome]

    @property
    def exit_code(self) -> int:
        """0: every required check passed; 1: a contradiction; 3: something required could not be checked."""
        if self.find(Outcome.FAIL):
            return CONTRADICTED
        answered = {result.check for result in self.results}
        missing = any(self.is_required(check) and check not in answered for check in ALL_CHECKS)
        unknown = any(map(self.is_needed, self.find(Outcome.UNKNOWN)))
        return NOT_CHECKED if missing or unknown else PASSED

    def quote(self, said: Mapping[str, str]) -> Report:
        """The same report beside what the coordinator says of itself."""
        return replace(self, said=dict(said))

    def summarise(self, check: str) -> tuple[Outcome, list[Result]]:
        """A check's outcome over all rounds, and the results that made it so: fails before unknowns before passes."""
        results = [result for result in self.results if result.check == check]
        if any(result.outcome is Outcome.PASS for result in results):
            results = [result for result in results if self.is_needed(result) or not self.is_required(check)]
        for outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS):
            found = [result for result in results if result.outcome is outcome]
            if found:
                return outcome, found
        return Outcome.UNKNOWN, []

    def to_json(self) -> dict[str, object]:
        """What `--json` prints."""
        return {
            "job": to_hex(self.job),
            "chainId": self.chain_id,
            "jobLedger": to_address(self.job_ledger),
            "block": self.block,
            "rounds": {"first": self.first, "last": self.last},
            "recomputed": self.recomputed,
            "chained": self.chained,
            "chain": self.chain,
            "pending": list(self.pending),
            "firstFailing": self.first_failing,
            "exitCode": self.exit_code,
            "checks": [self._show_check(check) for check in ALL_CHECKS],
            "results": [result.to_json() for result in self.results if result.outcome is not Outcome.PASS],
            "payments": [due.to_json() for due in self.dues],
            "seconds": dict(self.seconds),
            "coordinatorSays": dict(self.said),
        }

    def _show_check(self, check: str) -> dict[str, object]:
        outcome, results = self.summarise(check)
        return {
            "number": ALL_CHECKS[check].number,
            "id": check,
            "meaning": ALL_CHECKS[check].meaning,
            "outcome": outcome.value,
            "required": self.is_required(check),
            "items": sum(result.items for result in results),
        }
