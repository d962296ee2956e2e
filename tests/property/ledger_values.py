"""Hypothesis strategies for the ledger's values: every atomic type, every struct, judgements of whole rounds."""

from typing import Any

from hypothesis import strategies as st

from ledger.entry import Verdict
from ledger.structs import TypedStruct, to_snake
from ledger.tally import Judgement

NAT = 1 << 40
SAFE = (1 << 53) - 1

bytes32 = st.binary(min_size=32, max_size=32)
# The zero address is no node's: it marks padding.
addresses = st.binary(min_size=20, max_size=20).filter(any)


def values_of(kind: str) -> st.SearchStrategy[Any]:
    """Values of an atomic type that JSON can hold."""
    if kind == "bool":
        return st.booleans()
    if kind == "string":
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    if kind == "bytes":
        return st.binary(max_size=70)
    if kind == "address":
        return st.binary(min_size=20, max_size=20)
    if kind.startswith("bytes"):
        size = int(kind.removeprefix("bytes"))
        return st.binary(min_size=size, max_size=size)
    bits = int(kind.lstrip("uint"))
    if kind.startswith("int"):
        return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
    return st.integers(0, SAFE if bits == 64 else (1 << bits) - 1)


def structs_of(cls: type[TypedStruct]) -> st.SearchStrategy[Any]:
    """Instances of a statement, body or opening."""
    return st.builds(cls, **{to_snake(name): values_of(kind) for kind, name in cls.TYPE.members})


@st.composite
def judgements(draw: st.DrawFn, nodes: list[bytes], round_number: int) -> list[Judgement]:
    """The judgements of a round in which some of `nodes` took part, in any order."""
    present = draw(st.permutations(nodes))[: draw(st.integers(1, len(nodes)))]
    void = draw(st.booleans()) and draw(st.booleans())
    made = []
    for seq, node in enumerate(present):
        verdict = (
            Verdict.VOID if void else draw(st.sampled_from([Verdict.ACCEPTED] * 4 + [Verdict.UNREVEALED, Verdict.NORM]))
        )
        accepted = verdict is Verdict.ACCEPTED
        made.append(
            Judgement(
                node=node,
                contribution_digest=bytes([round_number, seq]) * 16,
                signatures_digest=draw(bytes32),
                verdict=verdict,
                weight=draw(st.integers(1, 1_000)) if accepted else 0,
                score=draw(st.integers(-3 * NAT, 3 * NAT)) if accepted else 0,
            )
        )
    return made
