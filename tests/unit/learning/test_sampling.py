import hashlib

import numpy as np

from learning.sampling import draw_sample

EVERYTHING = np.arange(100, dtype=np.int64)
BEACON = bytes(range(32))


def test_sample_follows_the_order_of_digests() -> None:
    order = sorted(range(100), key=lambda place: hashlib.sha256(BEACON + place.to_bytes(8, "big")).digest())
    draw = draw_sample(EVERYTHING, 100, 10, BEACON)
    assert draw.sample.tolist() == sorted(order[:10])
    assert draw.pool.tolist() == sorted(order[10:])


def test_positions_come_once_before_any_comes_twice() -> None:
    pool, seen = EVERYTHING, []
    for round in range(4):
        draw = draw_sample(pool, 100, 25, bytes([round]) * 32)
        pool = draw.pool
        seen += draw.sample.tolist()
    assert sorted(seen) == list(range(100))
    assert pool.size == 0
    assert draw_sample(pool, 100, 25, BEACON).sample.size == 25


def test_pool_that_does_not_last_is_drawn_whole_and_the_rest_from_a_fresh_one() -> None:
    left = np.array([3, 50, 97], np.int64)
    draw = draw_sample(left, 100, 10, BEACON)
    assert {3, 50, 97} <= set(draw.sample.tolist())
    assert len(set(draw.sample.tolist())) == 10
    assert set(draw.pool.tolist()) == set(range(100)) - (set(draw.sample.tolist()) - {3, 50, 97})


def test_small_set_is_the_sample_every_time() -> None:
    for beacon in (BEACON, bytes(32)):
        draw = draw_sample(EVERYTHING, 100, 100, beacon)
        assert draw.sample.tolist() == draw.pool.tolist() == list(range(100))


def test_another_beacon_draws_another_sample() -> None:
    assert (
        draw_sample(EVERYTHING, 100, 10, BEACON).sample.tolist()
        != draw_sample(EVERYTHING, 100, 10, bytes(32)).sample.tolist()
    )
