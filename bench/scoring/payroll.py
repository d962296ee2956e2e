"""A whole job with cheats among honest nodes: the product's rounds, and the tally's own arithmetic for pay."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.scoring.payloads import Payloads, make_address
from learning.adversaries import Behaviour, Sight
from learning.parameters import Vector32
from learning.quantise import Update
from learning.round import RoundInputs, RoundOutcome, run_round
from learning.rules import LearningRules
from learning.state import RoundState
from learning.tasks import Examples, Task
from ledger.tally import Judgement, Standing, Verdict, compute_tally

BUDGET_PER_ROUND = 1_000 * 10**18
PRICE_PER_NAT = 2_000 * 10**18
# Updates of that many rounds are kept for those who would copy them: 44 MB each with 200 nodes.
_REMEMBERED = 6


@dataclass(frozen=True)
class Job:
    """Nodes with their examples and what each of them does."""

    task: Task
    rules: LearningRules
    nodes: Sequence[Examples]
    behaviours: Sequence[Behaviour]
    validation: Examples
    seed: int

    def run(self, rounds: int) -> Iterator["Paid"]:
        """What stands in the books after each round."""
        books = Paid((0,) * len(self.nodes), (0,) * len(self.nodes))
        standings: dict[bytes, Standing] = {}
        model = self.task.initial_model(self.seed)
        state = RoundState.initial(model.size, self.rules, self.task.count_positions(self.validation))
        payloads = Payloads(self.rules.screening.window)
        models, outcomes, sent = [model], list[RoundOutcome](), list[Sequence[Update]]()
        for number in range(1, rounds + 1):
            updates = [
                behave(self._look(models, outcomes, sent, state.clip, number, node))
                for node, behave in enumerate(self.behaviours)
            ]
            revealed = payloads.reveal(updates, range(len(updates)))
            beacon = hashlib.sha256(f"{self.seed} {number}".encode()).digest()
            inputs = RoundInputs(
                self.task, self.rules, models[-1], state, self.validation, beacon, revealed, payloads.read
            )
            outcome = run_round(inputs)
            standings |= _pay(outcome, standings, number)
            models.append(outcome.model)
            outcomes.append(outcome)
            sent = [*sent, updates][-_REMEMBERED:]
            state = outcome.state
            books = books.after(outcome, standings)
            yield books

    def _look(
        self,
        models: Sequence[Vector32],
        outcomes: Sequence[RoundOutcome],
        sent: Sequence[Sequence[Update]],
        clip: int,
        number: int,
        node: int,
    ) -> Sight:
        gradients = [outcome.gradient for outcome in outcomes if outcome.gradient is not None]
        seed = _seed(self.seed, number, node)
        return Sight(self.task, models, gradients, sent, self.nodes[node], clip, self.rules.fraction_bits, seed)


@dataclass(frozen=True)
class Paid:
    """What each node has earned (token base units), and in how many rounds it was refused."""

    earned: tuple[int, ...]
    refused: tuple[int, ...]

    def after(self, outcome: RoundOutcome, standings: Mapping[bytes, Standing]) -> "Paid":
        """The books after one more round."""
        earned = tuple(standings[make_address(node)].earned for node in range(len(self.earned)))
        verdicts = [one.verdict for one in outcome.judged]
        refused = (
            times + (verdict is not Verdict.ACCEPTED) for times, verdict in zip(self.refused, verdicts, strict=True)
        )
        return replace(self, earned=earned, refused=tuple(refused))


def _pay(outcome: RoundOutcome, standings: Mapping[bytes, Standing], number: int) -> dict[bytes, Standing]:
    judgements = [
        Judgement(
            node=make_address(one.seq),
            contribution_digest=hashlib.sha256(f"{number} {one.seq}".encode()).digest(),
            signatures_digest=bytes(32),
            verdict=one.verdict,
            weight=one.weight,
            score=one.score,
        )
        for one in outcome.judged
    ]
    return compute_tally(BUDGET_PER_ROUND, PRICE_PER_NAT, judgements, standings, number).standings()


def _seed(*parts: int) -> int:
    return int.from_bytes(hashlib.sha256(np.array(parts, np.int64).tobytes()).digest()[:8], "big")
