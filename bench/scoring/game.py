"""A round's step as a cooperative game, its exact Shapley value by enumeration, and its Aumann–Shapley shares.

Shapes: k players, n parameters. Everything in nats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial

import numpy as np
from numpy.typing import NDArray

from learning.effect import score_updates
from learning.gradient import integrate_gradient
from learning.parameters import Vector32, Vector64
from learning.quantise import Update, dequantise
from learning.robust.combination import Contributed
from learning.score import ScoreRule
from learning.tasks import Objective
from ledger.entry import SCORE_BITS


@dataclass(frozen=True)
class Game:
    """v(S) = L(base) − L(base + η / W · Σ updates of S), with W the number of all updates, whoever stays away.

    `players` holds which updates each player brings: one each, or a group.
    """

    objective: Objective
    base: Vector32
    updates: Sequence[Update]
    players: Sequence[Sequence[int]]
    rate: Fraction
    fraction_bits: int

    def compute_moves(self) -> NDArray[np.float64]:
        """How each player moves the model, `[k, n]`."""
        share = float(self.rate) / len(self.updates)
        return np.array(
            [
                share * np.sum([dequantise(self.updates[one], self.fraction_bits) for one in player], axis=0)
                for player in self.players
            ]
        )

    def enumerate_values(self, progress: Callable[[int], None] = lambda _: None) -> NDArray[np.float64]:
        """The value of every coalition, `[2^k]`; bit i of a coalition's number says whether player i is in it."""
        moves, base = self.compute_moves(), self.base.astype(np.float64)
        nothing = self.objective.loss(base)
        values: NDArray[np.float64] = np.zeros(1 << len(moves))
        for coalition in range(1, values.size):
            members = [player for player in range(len(moves)) if coalition >> player & 1]
            values[coalition] = nothing - self.objective.loss(base + moves[members].sum(0))
            progress(coalition)
        return values

    def score(self) -> NDArray[np.float64]:
        """What the product pays each player for, `[k]`: its integer scores, by six gradients, nothing projected out."""
        moves = self.compute_moves().sum(0)
        effect = integrate_gradient(self.objective, self.base.astype(np.float64), moves)
        rule = ScoreRule(self.rate, len(self.updates), self.fraction_bits)
        contributions = (Contributed(place, update, 1) for place, update in enumerate(self.updates))
        scores = score_updates(contributions, effect, rule, None).values
        sums = np.array([sum(scores[one] for one in player) for player in self.players], np.float64)
        return sums / 2.0**SCORE_BITS

    def share(self, points: int) -> NDArray[np.float64]:
        """The shares by Gauss–Legendre quadrature of so many points, in floating point, `[k]`."""
        moves, base = self.compute_moves(), self.base.astype(np.float64)
        whole = moves.sum(0)
        abscissas, weights = np.polynomial.legendre.leggauss(points)
        gradient = sum(
            (
                weight / 2 * self.objective.gradient(base + (abscissa + 1) / 2 * whole)
                for abscissa, weight in zip(abscissas.tolist(), weights.tolist(), strict=True)
            ),
            start=np.zeros_like(whole),
        )
        return np.asarray(-moves @ gradient)


def compute_shapley(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Shapley value `[k]` of a game given as `values [2^k]`: each player's mean addition over all orders."""
    players = values.size.bit_length() - 1
    coalitions = np.arange(values.size)
    sizes = np.array([int(coalition).bit_count() for coalition in coalitions])
    orders = np.array([factorial(size) * factorial(players - size - 1) / factorial(players) for size in range(players)])
    result = np.zeros(players)
    for player in range(players):
        without = coalitions[(coalitions >> player & 1) == 0]
        result[player] = np.sum(orders[sizes[without]] * (values[without | 1 << player] - values[without]))
    return result


def correlate(left: Vector64, right: Vector64) -> float:
    """Pearson's correlation."""
    return float(np.corrcoef(left, right)[0, 1])


def correlate_ranks(left: Vector64, right: Vector64) -> float:
    """Spearman's correlation of values that are all different: 1 − 6 Σd² / (n³ − n), exactly 1 for the same order."""
    apart = np.argsort(np.argsort(left)) - np.argsort(np.argsort(right))
    return 1.0 - 6.0 * int(np.sum(apart * apart)) / (left.size**3 - left.size)
