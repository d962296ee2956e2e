"""Near copies: another node's update, changed a little. The earlier (round, seq) is the original.

Only updates that passed screening are originals: a refused copy is evidence against nobody. And nobody is refused for
likeness to what came after it: a node whose own update of that round, or of one before, is as near as the threshold
asks was there first. Within one round, where nobody has seen another's update and only a guess or an agreement makes
two alike, a node has twice that angle: so who guesses how another goes on gets it refused by nothing but a turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeVar

from learning.payload import read_update
from learning.quantise import Update
from learning.screening.likeness import find_alike
from learning.screening.measures import compute_dot, is_beyond, write_cosine
from learning.screening.memory import Memory
from learning.screening.rules import Refusal, judge_copy
from ledger.screening import Original

TILE_BYTES: Final = 1 << 26
"""Updates are compared in tiles of so many bytes: one of this round's beside one of those before it."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Comparable:
    """An update that may be an original or a copy; `read` gives it whole, the same each time."""

    original: Original
    norm_squared: int
    read: Callable[[], Update]


class CopySearch:
    """Looks for near copies of a round's updates, given in seq order.

    Args:
        size: parameters of the model.
        cosine: the greatest that passes, as the spec writes it.
        window: how many rounds before this one are compared with.
        memory: of the rounds before.
        read_earlier: gives a payload of theirs by its SHA-256.
    """

    def __init__(
        self, size: int, cosine: str, window: int, memory: Memory, read_earlier: Callable[[bytes], bytes]
    ) -> None:
        self._size, self._limit, self._cosine = size, cosine, Fraction(cosine)
        # cos 2θ = 2 cos² θ − 1; a right angle and more is likeness to nothing.
        self._own_cosine = max(Fraction(0), 2 * self._cosine**2 - 1)
        self._number = memory.rounds + 1
        self._earlier = [
            Comparable(one.original, one.norm_squared, _reader(read_earlier, one.payload, size))
            for one in memory.earlier
            if one.original.round >= self._number - window
        ]
        self._accepted: dict[Original, Comparable] = {}

    def find(self, tile: Sequence[Comparable], ones: Sequence[Update]) -> Mapping[Original, Sequence[Comparable]]:
        """Who may be the original of each of these updates: in earlier rounds, among those accepted, in the tile."""
        norms = [one.norm_squared for one in tile]
        found: dict[Original, list[Comparable]] = {one.original: [] for one in tile}
        before = [*self._earlier, *self._accepted.values()]
        for others in split(before, self._size):
            updates = [other.read() for other in others]
            pairs = find_alike(ones, updates, norms, [other.norm_squared for other in others], self._cosine)
            for one, other in pairs:
                found[tile[one].original].append(others[other])
        for one, other in find_alike(ones, ones, norms, norms, self._cosine):
            if other < one:
                found[tile[one].original].append(tile[other])
        return found

    def judge(self, one: Comparable, update: Update, candidates: Sequence[Comparable]) -> Refusal | None:
        """Whether an update is a near copy of one of these, which are in order; else it may be an original itself."""
        for other in candidates:
            if other.original.node == one.original.node or not self._stands(other.original):
                continue
            dot = compute_dot(update, other.read())
            if not is_beyond(dot, one.norm_squared, other.norm_squared, self._cosine):
                continue
            if self._was_first(one, update, other.original.round):
                break  # and so are all that follow: they are younger still
            cosine = write_cosine(dot, one.norm_squared, other.norm_squared)
            return judge_copy(other.original, self._number, cosine, self._limit)
        self._accepted[one.original] = one
        return None

    def _stands(self, original: Original) -> bool:
        return original.round < self._number or original in self._accepted

    def _was_first(self, one: Comparable, update: Update, number: int) -> bool:
        """Whether the same node sent something like it in round `number`, of the one it may have copied, or before."""
        cosine = self._own_cosine if number == self._number else self._cosine
        for other in self._earlier:
            if other.original.node == one.original.node and other.original.round <= number:
                dot = compute_dot(update, other.read())
                if is_beyond(dot, one.norm_squared, other.norm_squared, cosine):
                    return True
        return False


def split(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Tiles of as many updates of `size` parameters as TILE_BYTES hold, at least one."""
    count = max(1, TILE_BYTES // (2 * max(1, size)))
    return (items[start : start + count] for start in range(0, len(items), count))


def _reader(read: Callable[[bytes], bytes], payload: bytes, size: int) -> Callable[[], Update]:
    return lambda: read_update(read(payload), size)
