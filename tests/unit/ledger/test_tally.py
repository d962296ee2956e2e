from dataclasses import replace
from typing import Any

import pytest

from ledger.entry import Body, Entry, Standing, Verdict
from ledger.errors import MalformedStatement
from ledger.hashing import keccak256
from ledger.tally import Judgement, compute_pot, compute_reward, compute_signatures_digest, compute_tally
from tests.vectors.golden_job import COORDINATOR, derive, derive_address

NAT = 1 << 40
TOKEN = 10**18
MOST = (1 << 128) - 1


def judge(name: str, score: int = 0, verdict: Verdict = Verdict.ACCEPTED) -> Judgement:
    weight = 1 if verdict is Verdict.ACCEPTED else 0
    return Judgement(derive_address(name), derive(f"c {name}"), derive(f"s {name}"), verdict, weight, score)


def test_reward_is_the_share_of_the_gain() -> None:
    tally = compute_tally(10 * TOKEN, TOKEN, [judge("a", NAT), judge("b", 3 * NAT)], {}, 1)
    assert tally.pot == 4 * TOKEN
    assert [entry.body.reward for entry in tally.entries] == [TOKEN, 3 * TOKEN]
    assert [entry.earned for entry in tally.entries] == [TOKEN, 3 * TOKEN]
    assert (tally.totals.weight, tally.totals.score, tally.totals.gain, tally.totals.reward) == (
        2,
        4 * NAT,
        4 * NAT,
        4 * TOKEN,
    )


def test_zero_score_earns_exactly_nothing() -> None:
    tally = compute_tally(10 * TOKEN, TOKEN, [judge("a", NAT), judge("zero", 0)], {}, 1)
    assert tally.entries[1].earned == tally.entries[1].body.gain == 0
    assert tally.entries[0].earned == TOKEN


def test_round_that_does_not_improve_pays_nothing_but_carries_credit() -> None:
    tally = compute_tally(10 * TOKEN, TOKEN, [judge("a", NAT), judge("b", -NAT)], {}, 1)
    assert tally.pot == tally.totals.reward == 0
    assert [entry.body.credit for entry in tally.entries] == [NAT, -NAT]
    assert [entry.body.gain for entry in tally.entries] == [NAT, 0]


def test_debt_is_paid_back_before_anything_is_earned() -> None:
    first = compute_tally(10 * TOKEN, TOKEN, [judge("a", 5 * NAT), judge("b", -2 * NAT)], {}, 1)
    second = compute_tally(10 * TOKEN, TOKEN, [judge("b", 3 * NAT)], first.standings(), 2)
    (entry,) = second.entries
    assert (entry.body.credit, entry.body.peak, entry.body.gain) == (NAT, NAT, NAT)
    assert entry.body.previous_round == 1


def test_standing_is_carried_over_rounds_that_a_node_skips() -> None:
    standings = {derive_address("a"): Standing(earned=7, credit=NAT, peak=2 * NAT, round=3)}
    (entry,) = compute_tally(TOKEN, TOKEN, [judge("a", 0, Verdict.UNREVEALED)], standings, 9).entries
    assert (entry.earned, entry.body.credit, entry.body.peak, entry.body.gain) == (7, NAT, 2 * NAT, 0)
    assert entry.body.previous_round == 3
    assert entry.standing(9) == Standing(7, NAT, 2 * NAT, 9)


def test_running_sums_end_in_the_totals() -> None:
    tally = compute_tally(
        10 * TOKEN,
        TOKEN,
        [
            judge("a", NAT),
            judge("b", -5),
            judge(
                "c",
                7,
            ),
        ],
        {},
        1,
    )
    last = tally.entries[-1].body
    assert (last.running_weight, last.running_score) == (tally.totals.weight, tally.totals.score)
    assert (last.running_gain, last.running_reward) == (tally.totals.gain, tally.totals.reward)
    assert [entry.body.running_score for entry in tally.entries] == [NAT, NAT - 5, NAT + 2]
    assert {entry.body.running_aggregate for entry in tally.entries} == {bytes(32)}


def test_void_round_keeps_everyone_where_they_were() -> None:
    standings = {derive_address("a"): Standing(earned=7, credit=-4, peak=9, round=1)}
    judgements = [judge(name, 0, Verdict.VOID) for name in ("a", "b")]
    tally = compute_tally(TOKEN, TOKEN, judgements, standings, 2)
    assert tally.totals.reward == tally.pot == 0
    assert [entry.earned for entry in tally.entries] == [7, 0]
    assert {entry.body.verdict for entry in tally.entries} == {9}


def test_void_for_some_entries_only_is_refused() -> None:
    with pytest.raises(MalformedStatement, match="VOID"):
        compute_tally(TOKEN, TOKEN, [judge("a", 0, Verdict.VOID), judge("b", 1)], {}, 1)


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.ACCEPTED])
def test_only_accepted_has_weight_and_score(verdict: Verdict) -> None:
    with pytest.raises(MalformedStatement, match="weight and score 0"):
        replace(judge("a"), verdict=verdict, weight=1)
    with pytest.raises(MalformedStatement, match="weight and score 0"):
        replace(judge("a"), verdict=verdict, weight=0, score=-1)


def test_verdicts_have_the_numbers_of_the_protocol() -> None:
    assert [int(verdict) for verdict in Verdict] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("node", bytes(19)),
        ("contribution_digest", "0x"),
        ("signatures_digest", bytes(31)),
        ("verdict", 0),
        ("verdict", "ACCEPTED"),
        ("weight", -1),
        ("weight", 1 << 64),
        ("weight", True),
        ("score", 1 << 127),
        ("score", 1.0),
    ],
)
def test_inexact_judgement_is_refused(field: str, value: Any) -> None:
    with pytest.raises(MalformedStatement, match=field):
        replace(judge("a"), **{field: value})


def test_node_or_contribution_twice_is_refused() -> None:
    twin = judge("a", 1)
    for other in (
        replace(judge("b"), node=twin.node),
        replace(judge("b"), contribution_digest=twin.contribution_digest),
    ):
        with pytest.raises(MalformedStatement, match="each once"):
            compute_tally(TOKEN, TOKEN, [twin, other], {}, 1)


def test_round_without_receipts_has_no_tally() -> None:
    with pytest.raises(MalformedStatement, match="at least one"):
        compute_tally(TOKEN, TOKEN, [], {}, 1)


@pytest.mark.parametrize("round_number", [1, 3])
def test_standing_of_this_or_a_later_round_is_refused(round_number: int) -> None:
    standings = {derive_address("a"): Standing(round=3)}
    with pytest.raises(MalformedStatement, match=r"Standing\.round"):
        compute_tally(TOKEN, TOKEN, [judge("a")], standings, round_number)


@pytest.mark.parametrize(
    "values",
    [
        {"earned": -1, "round": 1},
        {"earned": 1 << 128, "round": 1},
        {"credit": 5, "peak": 4, "round": 1},
        {"earned": 1},
        {"peak": 1},
        {"credit": -1},
        {"round": True},
    ],
)
def test_impossible_standing_is_refused(values: Any) -> None:
    with pytest.raises(MalformedStatement, match="Standing"):
        Standing(**values)


@pytest.mark.parametrize(
    ("standing", "judgements", "field"),
    [
        (Standing(earned=MOST, round=1), [judge("a", NAT)], r"Entry\.earned"),
        (Standing(credit=(1 << 127) - 1, peak=(1 << 127) - 1, round=1), [judge("a", 1)], r"Body\.credit"),
        (Standing(credit=-(1 << 127), peak=0, round=1), [judge("a", -1)], r"Body\.credit"),
        (Standing(), [judge("a", (1 << 127) - 1), judge("b", 1)], r"Body\.runningScore"),
        (Standing(), [replace(judge("a"), weight=(1 << 64) - 1), judge("b")], r"Body\.runningWeight"),
    ],
)
def test_amount_that_outgrows_its_field_is_named(standing: Standing, judgements: list[Judgement], field: str) -> None:
    with pytest.raises(MalformedStatement, match=field):
        compute_tally(TOKEN, TOKEN, judgements, {derive_address("a"): standing}, 2)


@pytest.mark.parametrize(
    ("budget", "price", "number"), [(-1, 1, 1), (1 << 128, 1, 1), (1, -1, 1), (1, True, 1), (1, 1, -1), (1, 1, 1 << 64)]
)
def test_inexact_terms_are_refused(budget: Any, price: Any, number: Any) -> None:
    with pytest.raises(MalformedStatement):
        compute_tally(budget, price, [judge("a")], {}, number)


@pytest.mark.parametrize(
    ("budget", "price", "score", "gain", "pot"),
    [
        (TOKEN, TOKEN, NAT, NAT, TOKEN),
        (TOKEN, TOKEN, NAT // 2, NAT, TOKEN // 2),
        (TOKEN, TOKEN, NAT, NAT // 2, TOKEN // 2),
        (TOKEN, TOKEN, NAT, 1, TOKEN // NAT),
        (TOKEN, TOKEN, NAT, 0, 0),
        (TOKEN, TOKEN, 2 * NAT, 2 * NAT, TOKEN),
        (TOKEN, 3, NAT // 2, NAT, 1),
        (TOKEN, 1, NAT - 1, NAT, 0),
        (TOKEN, TOKEN, 0, NAT, 0),
        (TOKEN, TOKEN, -NAT, NAT, 0),
        (0, TOKEN, NAT, NAT, 0),
        (MOST, MOST, (1 << 127) - 1, MOST, MOST),
    ],
)
def test_pot(budget: int, price: int, score: int, gain: int, pot: int) -> None:
    assert compute_pot(budget, price, score, gain) == pot


@pytest.mark.parametrize(
    ("pot", "gain", "total", "reward"),
    [(10, 1, 3, 3), (10, 3, 3, 10), (10, 0, 3, 0), (10, 0, 0, 0), (MOST, MOST, MOST, MOST)],
)
def test_reward(pot: int, gain: int, total: int, reward: int) -> None:
    assert compute_reward(pot, gain, total) == reward


def test_entry_goes_to_json_and_back() -> None:
    tally = compute_tally(10 * TOKEN, TOKEN, [judge("a", NAT), judge("b", -NAT // 2)], {}, 1)
    for entry in tally.entries:
        json = entry.to_json()
        assert Entry.from_json(json) == entry
        assert list(json) == ["seq", "node", "earned", "body"]
        assert type(json["earned"]) is str
        assert entry.leaf().body == entry.body.digest()
    json = tally.entries[0].to_json()
    for bad in ({**json, "body": None}, {**json, "earned": 1}, {**json, "seq": "0"}, {**json, "round": 1}, {"seq": 0}):
        with pytest.raises(MalformedStatement):
            Entry.from_json(bad)


def test_inexact_entry_is_refused() -> None:
    (entry,) = compute_tally(TOKEN, TOKEN, [judge("a")], {}, 1).entries
    for field, value in (("seq", -1), ("node", bytes(32)), ("earned", 1 << 128), ("body", entry.body.values())):
        wrong: Any = {field: value}
        with pytest.raises(MalformedStatement, match=rf"Entry\.{field}"):
            replace(entry, **wrong)


def test_body_holds_what_a_false_coordinator_may_have_written() -> None:
    """Only widths are checked, so that an audit can read a lie and name it."""
    (entry,) = compute_tally(TOKEN, TOKEN, [judge("a")], {}, 1).entries
    lie = replace(entry.body, verdict=10, weight=5, peak=0, credit=9, reward=MOST)
    assert Body.from_json(lie.to_json()) == lie


def test_signatures_digest_joins_both_in_order() -> None:
    one, other = COORDINATOR.sign(derive("1")), COORDINATOR.sign(derive("2"))
    assert compute_signatures_digest(one, other) == keccak256(one + other) != compute_signatures_digest(other, one)
    with pytest.raises(ValueError, match="65 bytes"):
        compute_signatures_digest(one, other[:64])


def test_tree_of_a_tally_holds_its_entries() -> None:
    tally = compute_tally(TOKEN, TOKEN, [judge("a", 1), judge("b", 2), judge("c")], {}, 1)
    tree = tally.tree()
    assert [leaf.hash() for leaf in tree.leaves] == [entry.leaf_hash() for entry in tally.entries]
    assert (tree.count, tree.depth) == (3, 2)
