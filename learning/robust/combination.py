"""What a rule makes of a round's updates: one sum, and what it took from whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.signedinteger[Any]]


class Contributed(NamedTuple):
    """c_k of the update at `place`: `multiplier` times `values [n]`, whose elements are below 2^24 in size."""

    place: int
    values: Integers
    multiplier: int


class Contributions(Protocol):
    """Gives what a rule took, one update at a time, in the order that `order` lists."""

    def __call__(self) -> Iterator[Contributed]:
        """Begins anew at every call."""


@dataclass(frozen=True, slots=True)
class Combination:
    """The result of a rule.

    `aggregate [n] int64` is S, and S / (`divisor` · 2^f) the mean move. `excluded` holds the places of updates that the
    rule left out, and why. Σ c_k and the `public` part, which nobody sent (None: zero), sum to S exactly. `trust` is
    what each update was trusted by the round's reference, and by an auditor's own; empty with other rules.
    """

    aggregate: NDArray[np.int64] = field(repr=False)
    divisor: int
    contributions: Contributions = field(repr=False)
    excluded: dict[int, str] = field(default_factory=dict)
    public: NDArray[np.int64] | None = field(default=None, repr=False)
    trust: tuple[int, ...] = ()
    own_trust: tuple[int, ...] = ()
