"""The draw of a cohort: places, what a draw tells, and what in it contradicts itself."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.draw import Draw, compute_draw_seed, compute_lot, draw_cohort, find_earliest, find_problem, order_nodes
from ledger.errors import Malformed
from ledger.hashing import keccak256

SEED = keccak256(b"seed")
BLOCK = (12, keccak256(b"block"))
NODES = [keccak256(b"%d" % number)[:20] for number in range(40)]


def draw(present: list[bytes], maximum: int, late: frozenset[bytes] = frozenset()) -> Draw:
    return draw_cohort(SEED, BLOCK, {node: node in late for node in NODES}, present, maximum)


@given(present=st.sets(st.sampled_from(NODES), min_size=5), late=st.sets(st.sampled_from(NODES)))
def test_cohort_is_the_first_that_are_present_and_whoever_was_passed_over_is_told(
    present: set[bytes], late: set[bytes]
) -> None:
    """The first five present nodes of one public order; all before the last of them that are not in are told."""
    made = draw(sorted(present), 5, frozenset(late))
    order = sorted(NODES, key=lambda node: (node in late, compute_lot(SEED, node)))
    assert list(made.admitted) == [node for node in order if node in present][:5]
    last = order.index(made.admitted[-1])
    assert list(made.absent) == [node for node in order[:last] if node not in present]
    assert made.placed == order[: last + 1]
    assert set(made.late) == late & set(order[: last + 1])
    assert find_problem(made, 5) is None
    assert Draw.from_bytes(made.to_bytes()) == made


def test_key_that_registers_late_comes_after_all_others_whatever_its_lot() -> None:
    best = order_nodes(SEED, NODES, ())[0]
    assert order_nodes(SEED, NODES, {best})[-1] == best
    assert draw(NODES, 5, frozenset({best})).admitted[0] != best


def test_seed_names_job_round_and_source() -> None:
    job, source = keccak256(b"job"), keccak256(b"source")
    seeds = {
        compute_draw_seed(job, 1, source),
        compute_draw_seed(job, 2, source),
        compute_draw_seed(source, 1, source),
        compute_draw_seed(job, 1, job),
    }
    assert len(seeds) == 4
    tag = keccak256(b"Tallystick cohort draw")
    assert compute_draw_seed(job, 2, source) == keccak256(tag + job + (2).to_bytes(32) + source)


def test_registrations_count_as_early_up_to_a_block_that_contributors_signed() -> None:
    assert [find_earliest(blocks, 3) for blocks in ([], [5], [5, 8], [5, 8, 9])] == [3, 3, 5, 8]


def swap(nodes: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (nodes[1], nodes[0], *nodes[2:])


MADE = draw(sorted(NODES)[::2], 5, frozenset(NODES[5:]))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (replace(MADE, admitted=swap(MADE.admitted)), "admitted nodes are not in the order"),
        (replace(MADE, absent=swap(MADE.absent)), "absent nodes are not in the order"),
        (replace(MADE, absent=(*MADE.absent, MADE.admitted[0])), "listed twice"),
        (replace(MADE, admitted=MADE.admitted[:4]), "full from the start"),
        (replace(MADE, drawn=False), "full from the start"),
        (replace(MADE, joined=(b"\x01" * 20,)), "more than 5"),
        (replace(MADE, population=3), "smaller than the list"),
        (replace(MADE, population=None), "smaller than the list"),
        (replace(MADE, late=(*MADE.late, b"\x01" * 20)), "not among those listed"),
        (replace(MADE, late=MADE.late + MADE.late[:1]), "listed twice"),
        (replace(MADE, seed=keccak256(b"another")), "order of their places"),
    ],
)
def test_draw_that_contradicts_itself_is_found_out(changed: Draw, problem: str) -> None:
    assert problem in (find_problem(changed, 5) or "")


def test_absent_node_behind_the_last_admitted_is_found_out() -> None:
    order = order_nodes(SEED, NODES, ())
    made = draw_cohort(SEED, BLOCK, dict.fromkeys(NODES, False), order[:5], 5)
    assert find_problem(made, 5) is None
    assert "behind the last" in (find_problem(replace(made, absent=(order[7],)), 5) or "")


def test_places_are_not_told_where_nothing_was_drawn() -> None:
    made = Draw(SEED, *BLOCK, drawn=False, population=None, admitted=tuple(sorted(NODES)[:3]))
    assert find_problem(made, 5) is None
    other = (sorted(NODES)[9],)
    for changed in (replace(made, absent=other), replace(made, late=other), replace(made, population=9)):
        assert find_problem(changed, 5) is not None
    assert find_problem(replace(made, admitted=made.admitted[::-1]), 5) is not None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", MADE.to_bytes() + b" ", MADE.to_bytes().replace(b"12", b"-1")])
def test_other_bytes_are_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        Draw.from_bytes(content)
