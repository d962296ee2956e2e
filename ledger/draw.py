"""The draw of a round's cohort: a seed that nobody chooses alone, a place for every registered node, and what is told.

Every node that may join a job has a lot, a keccak256 of the round's draw seed and its address. In the order of their
lots, those that registered before the seed could be known come first, all others after them. The first `maximum` of
this order that are present are the cohort; those before the last of them that were not present are told, by name.
`docs/protocol.md` section 10 says where seeds and blocks come from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger import canonical
from ledger.errors import MalformedJson
from ledger.hashing import keccak256
from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex
from ledger.words import WORDS

_DRAW: Final = "draw.json"
_TAG: Final = keccak256(b"Tallystick cohort draw")
_LISTS: Final = ("admitted", "absent", "late", "joined")
_KEYS: Final = frozenset({*_LISTS, "seed", "block", "blockHash", "drawn", "population"})


def compute_draw_seed(job: bytes, round: int, source: bytes) -> bytes:
    """Returns keccak256(abi.encode(TAG, job, round, source)), TAG = keccak256("Tallystick cohort draw").

    `source` is the hash of the block that opened the job for round 1, afterwards the beacon that follows from the
    accumulator, seed and salts of the round before, also where its header names none.
    """
    for name, value in (("job", job), ("source", source)):
        WORDS["bytes32"].check(value, f"draw.{name}")
    WORDS["uint64"].check(round, "draw.round")
    return keccak256(_TAG + job + round.to_bytes(32, "big") + source)


def compute_lot(seed: bytes, node: bytes) -> bytes:
    """Returns keccak256(seed ‖ node): the smaller, the earlier the node's place."""
    return keccak256(seed + node)


def order_nodes(seed: bytes, nodes: Collection[bytes], late: Collection[bytes]) -> list[bytes]:
    """Nodes in the order of their places: by lot, those in `late` after all others."""
    return sorted(nodes, key=lambda node: (node in late, keccak256(seed + node)))


@dataclass(frozen=True, slots=True)
class Draw:
    """`draw.json`: who is in a round, and who was passed over to get there.

    Attributes:
        seed: the draw seed of the round.
        block: number of the chain's block up to which the coordinator knew registrations and stakes.
        block_hash: that block's hash.
        drawn: whether more wanted in than fit, or as many; else all who were present are in, and no place counts.
        population: how many nodes had a place, None where nothing was drawn.
        admitted: the cohort when the round opened; in the order of their places, or of their addresses if not drawn.
        absent: nodes with a place before the last one admitted that were not present, in the order of their places.
        late: those of both that registered after the seed could be known (see `find_earliest`).
        joined: nodes that came later into free room, in the order of their addresses.
    """

    seed: bytes
    block: int
    block_hash: bytes
    drawn: bool
    population: int | None
    admitted: tuple[bytes, ...]
    absent: tuple[bytes, ...] = ()
    late: tuple[bytes, ...] = ()
    joined: tuple[bytes, ...] = ()

    @property
    def placed(self) -> list[bytes]:
        """Everyone up to the last place that was admitted, in the order of their places."""
        return order_nodes(self.seed, {*self.admitted, *self.absent}, set(self.late))

    def to_bytes(self) -> bytes:
        """The file, canonical."""
        lists = {name: [to_address(node) for node in getattr(self, name)] for name in _LISTS}
        words = {"seed": to_hex(self.seed), "block": self.block, "blockHash": to_hex(self.block_hash)}
        return canonical.encode({**lists, **words, "drawn": self.drawn, "population": self.population})

    @classmethod
    def from_bytes(cls, content: bytes) -> Draw:
        """Reads the file. Raises Malformed on anything that `to_bytes` does not write."""
        value = canonical.decode(content, require_canonical=True)
        if not isinstance(value, dict) or set(value) != _KEYS:
            raise MalformedJson(_DRAW, f"expected an object with {', '.join(sorted(_KEYS))}")
        block, drawn, population = value["block"], value["drawn"], value["population"]
        if type(block) is not int or block < 0 or type(drawn) is not bool:
            raise MalformedJson(_DRAW, "block must be a natural number, drawn true or false")
        if population is not None and (type(population) is not int or population < 0):
            raise MalformedJson(_DRAW, f"population must be null or a natural number, got {population!r}")
        lists = {name: _read_nodes(name, value[name]) for name in _LISTS}
        seed, block_hash = (
            parse_hex(value["seed"], 32, "draw.seed"),
            parse_hex(value["blockHash"], 32, "draw.blockHash"),
        )
        return cls(seed, block, block_hash, drawn, population, **lists)


def draw_cohort(
    seed: bytes, block: tuple[int, bytes], places: Mapping[bytes, bool], present: Collection[bytes], maximum: int
) -> Draw:
    """The first `maximum` present nodes in the order of all places, and those who were passed over.

    Args:
        seed: the round's draw seed.
        block: number and hash of the block that `places` were read at.
        places: every node that may join, and whether it is late.
        present: those of them that are there; at least `maximum`.
        maximum: how many fit.
    """
    late = {node for node, is_late in places.items() if is_late}
    order = order_nodes(seed, places, late)
    there = set(present)
    admitted: list[bytes] = []
    absent: list[bytes] = []
    for node in order:
        if len(admitted) == maximum:
            break
        (admitted if node in there else absent).append(node)
    told = tuple(node for node in order[: len(admitted) + len(absent)] if node in late)
    return Draw(seed, *block, True, len(places), tuple(admitted), tuple(absent), told)


def find_problem(draw: Draw, maximum: int) -> str | None:
    """What in a draw contradicts itself or the cohort's maximum; None where nothing does."""
    everyone = [*draw.admitted, *draw.absent, *draw.joined]
    if len(set(everyone)) != len(everyone) or len(set(draw.late)) != len(draw.late):
        return "a node is listed twice"
    if len(draw.admitted) + len(draw.joined) > maximum:
        return f"more than {maximum} nodes are in the cohort"
    if draw.drawn != (len(draw.admitted) == maximum):
        return "a cohort that was full from the start is drawn, and no other"
    if not draw.drawn:
        return _find_undrawn_problem(draw)
    if draw.population is None or draw.population < len(draw.admitted) + len(draw.absent):
        return "the population is smaller than the list"
    return _find_order_problem(draw)


def _find_undrawn_problem(draw: Draw) -> str | None:
    if draw.absent or draw.late or draw.population is not None:
        return "places are told although nothing was drawn"
    if list(draw.admitted) != sorted(draw.admitted) or list(draw.joined) != sorted(draw.joined):
        return "nodes that were not drawn are listed by address"
    return None


def _find_order_problem(draw: Draw) -> str | None:
    placed = draw.placed
    absent, late = set(draw.absent), set(draw.late)
    if [node for node in placed if node not in absent] != list(draw.admitted):
        return "the admitted nodes are not in the order of their places"
    if [node for node in placed if node in absent] != list(draw.absent):
        return "the absent nodes are not in the order of their places"
    if placed[-1] in absent:
        return "an absent node is listed behind the last one admitted"
    if [node for node in placed if node in late] != list(draw.late):
        return "the late nodes are not among those listed, in the order of their places"
    return None


def _read_nodes(name: str, value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise MalformedJson(_DRAW, f"{name} must be a list of addresses")
    return tuple(parse_address(item, f"draw.{name}") for item in value)


def find_earliest(blocks: Sequence[int | None], opened: int) -> int | None:
    """Up to which block a registration counts as early, for the draw after rounds whose draws were at `blocks`.

    The seed of a round follows from contributions to the round before it, every one of which signs the header of the
    round before that, and with it that round's `draw.json` and block: what registered up to that block registered
    before anyone could know the seed. Rounds 1 and 2 have no such round: there it is the block that opened the job.
    None where the round's block is not known.
    """
    return blocks[-2] if len(blocks) >= 2 else opened
