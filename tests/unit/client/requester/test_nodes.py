"""`tally job nodes`: its order, its refusals, its shares."""

from client.requester.cli_nodes import Order, count_refusals, list_work, order_work
from client.tokens import Unit
from ledger.wire import NodeWork


def make_work(number: int, earned: int, score: int, **verdicts: int) -> NodeWork:
    return NodeWork(
        node=bytes([number]) * 20,
        contributions=sum(verdicts.values()),
        accepted=verdicts.get("accepted", 0),
        samples=100,
        compute_seconds=1.5,
        loss=None,
        credit=score,
        earned=earned,
        claimed=0,
        final_earned=earned,
        verdicts=verdicts,
        score=score,
        first_round=1,
        last_round=3,
    )


WORK = [
    make_work(1, 300, 5, accepted=3),
    make_work(2, 100, 9, accepted=1, duplicate=2),
    make_work(3, 0, -2, unrevealed=1, void=4),
]


def test_nodes_are_listed_by_what_was_asked_for() -> None:
    first = {order: order_work(WORK, order)[0].node[0] for order in Order}
    assert first == {Order.EARNED: 1, Order.SCORE: 2, Order.REFUSALS: 2, Order.CONTRIBUTIONS: 3}


def test_void_round_refused_nobody() -> None:
    assert [count_refusals(item.verdicts) for item in WORK] == [0, 2, 1]


def test_share_is_of_all_that_was_earned_in_the_job() -> None:
    rows = list_work(WORK, Unit(0))
    assert [row[10] for row in rows] == ["75.0%", "25.0%", "0.0%"]
    assert list_work(WORK[2:], Unit(0))[0][10] == "–"
