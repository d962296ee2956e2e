"""A whole job with cheats among honest nodes: the product's rounds, and the tally's own arithmetic for pay."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bench.scoring.payloads import Payloads, make_address
from bench.scoring.remembering import remember
from learning.adversaries import Behaviour, Sight
from learning.parameters import Vector32
from learning.quantise import Update
from learning.round import RoundInputs, RoundOutcome, run_round
from learning.rules import LearningRules
from learning.state import RoundState
from learning.tasks import Examples, Task
from ledger.entry import Standing, Verdict
from ledger.tally import Judgement, compute_tally

BUDGET_PER_ROUND = 1_000 * 10**18
PRICE_PER_NAT = 2_000 * 10**18
# Updates of that many rounds are kept for those who would copy them: 44 MB each with 200 nodes.
_REMEMBERED = 6


@dataclass(frozen=True)
class Job:
    """Nodes with their examples and what each of them does.

    `group` holds the places of those who know each other's examples, `weights` what each node weighs (none: 1 each),
    `throwaway` the places of those who come with a new key every round.
    """

    task: Task
    rules: LearningRules
    nodes: Sequence[Examples]
    behaviours: Sequence[Behaviour]
    validation: Examples
    seed: int
    group: Sequence[int] = ()
    weights: Sequence[int] = ()
    throwaway: Collection[int] = ()

    def run(self, rounds: int) -> Iterator["Paid"]:
        """What stands in the books after each round."""
        nothing = (0,) * len(self.nodes)
        books = Paid(nothing, nothing, nothing)
        standings: dict[bytes, Standing] = {}
        rehearsed, payloads = remember(self.task), Payloads(self.rules.screening.window)
        model = self.task.initial_model(self.seed)
        state = RoundState.initial(model.size, self.rules, self.task.count_positions(self.validation))
        models, outcomes, sent = [model], list[RoundOutcome](), list[Sequence[Update]]()
        for number in range(1, rounds + 1):
            updates = [
                behave(self._look(rehearsed, models, outcomes, sent, state.clip, number, node))
                for node, behave in enumerate(self.behaviours)
            ]
            outcome = run_round(self._reveal(payloads, models[-1], state, updates, number))
            names = [make_address(self._choose_key(node, number)) for node in range(len(self.nodes))]
            before = [standings.get(name, Standing()).earned for name in names]
            standings |= _pay(outcome, standings, names, number)
            rewards = [standings[name].earned - earned for name, earned in zip(names, before, strict=True)]
            models.append(outcome.model)
            outcomes.append(outcome)
            sent = [*sent, updates][-_REMEMBERED:]
            state = outcome.state
            books = books.after(outcome, rewards)
            yield books

    def _reveal(
        self, payloads: Payloads, base: Vector32, state: RoundState, updates: Sequence[Update], number: int
    ) -> RoundInputs:
        keys = [self._choose_key(node, number) for node in range(len(self.nodes))]
        revealed = payloads.reveal(updates, keys, self.weights)
        beacon = hashlib.sha256(f"{self.seed} {number}".encode()).digest()
        return RoundInputs(self.task, self.rules, base, state, self.validation, beacon, revealed, payloads.read)

    def _look(
        self,
        task: Task,
        models: Sequence[Vector32],
        outcomes: Sequence[RoundOutcome],
        sent: Sequence[Sequence[Update]],
        clip: int,
        number: int,
        node: int,
    ) -> Sight:
        gradients = [outcome.gradient for outcome in outcomes if outcome.gradient is not None]
        seed = _seed(self.seed, number, node)
        accomplices = [self.nodes[member] for member in self.group] if node in self.group else []
        bits, screening = self.rules.fraction_bits, self.rules.screening
        return Sight(task, models, gradients, sent, self.nodes[node], clip, bits, seed, accomplices, screening)

    def _choose_key(self, node: int, number: int) -> int:
        return (number << 64 if node in self.throwaway else 0) + node


@dataclass(frozen=True)
class Paid:
    """What each node has earned (token base units), and in how many rounds it was refused.

    `refused` counts what screening refused, `excluded` what the aggregation rule left out. `void` rounds changed
    nothing; `model [n]` is that after the round.
    """

    earned: tuple[int, ...]
    refused: tuple[int, ...]
    excluded: tuple[int, ...]
    void: int = 0
    model: Vector32 = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)

    def after(self, outcome: RoundOutcome, rewards: Sequence[int]) -> "Paid":
        """The books after one more round."""
        verdicts = [one.verdict for one in outcome.judged]
        passed = (Verdict.ACCEPTED, Verdict.EXCLUDED, Verdict.VOID)
        return replace(
            self,
            earned=_add(self.earned, rewards),
            refused=_add(self.refused, [int(verdict not in passed) for verdict in verdicts]),
            excluded=_add(self.excluded, [int(verdict is Verdict.EXCLUDED) for verdict in verdicts]),
            void=self.void + (outcome.void is not None),
            model=outcome.model,
        )


def _add(sums: Sequence[int], more: Sequence[int]) -> tuple[int, ...]:
    return tuple(one + other for one, other in zip(sums, more, strict=True))


def _pay(
    outcome: RoundOutcome, standings: Mapping[bytes, Standing], names: Sequence[bytes], number: int
) -> dict[bytes, Standing]:
    judgements = [
        Judgement(
            node=names[one.seq],
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
