"""Who plays which part: viewers split into training, validation and hold-out, and the training ones dealt out to nodes.

The three sets are disjoint: training viewers live on nodes, validation decides pay, the hold-out is only reported.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FEWEST_SAMPLES, MOST_SAMPLES = 100, 1_000


@dataclass(frozen=True, slots=True)
class Split:
    """Three disjoint sets of viewer ids."""

    training: Sequence[str]
    validation: Sequence[str]
    holdout: Sequence[str]


class TooFewSamples(Exception):
    """The viewers do not give every node its 100 samples."""

    def __init__(self, nodes: int, fewest: int) -> None:
        self.nodes, self.fewest = nodes, fewest
        super().__init__(
            f"{nodes} nodes would leave one with {fewest} samples, expected {FEWEST_SAMPLES} to {MOST_SAMPLES} each; "
            "choose fewer nodes with --nodes"
        )


def split_viewers(viewers: Sequence[str], seed: int, validation: int, holdout: int) -> Split:
    """Draws the sets by the order of SHA-256(seed, viewer): the same split on every machine."""
    order = sorted(viewers, key=lambda viewer: hashlib.sha256(f"{seed}/{viewer}".encode()).digest())
    return Split(order[validation + holdout :], order[:validation], order[validation : validation + holdout])


def deal_viewers(samples: Mapping[str, int], nodes: int) -> list[list[str]]:
    """Deals viewers out so that nodes hold similar numbers of samples: the largest viewer first, to the smallest node.

    Raises:
        TooFewSamples: a node would hold fewer than 100 samples.
    """
    piles: list[tuple[int, int, list[str]]] = [(0, node, []) for node in range(nodes)]
    for viewer in sorted(samples, key=lambda viewer: (-samples[viewer], viewer)):
        total, node, pile = heapq.heappop(piles)
        pile.append(viewer)
        heapq.heappush(piles, (total + samples[viewer], node, pile))
    fewest = min(total for total, _, _ in piles)
    if fewest < FEWEST_SAMPLES:
        raise TooFewSamples(nodes, fewest)
    return [pile for _, _, pile in sorted(piles, key=lambda item: item[1])]
