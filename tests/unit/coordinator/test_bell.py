"""The bell wakes whoever listens to a topic, from any thread, and nothing is missed between look and wait."""

import asyncio
import threading

from coordinator.storage.bell import Bell, Topic


async def test_ring_before_the_wait_is_heard() -> None:
    bell = Bell()
    with bell.listen(Topic.ROUNDS) as listener:
        bell.ring([Topic.ROUNDS])
        assert await listener.wait(1)


async def test_other_topic_is_not_heard() -> None:
    bell = Bell()
    with bell.listen(Topic.ROUNDS) as listener:
        bell.ring([Topic.JOBS])
        assert not await listener.wait(0.02)


async def test_rings_from_another_thread_wake_every_listener() -> None:
    bell = Bell()
    with bell.listen(Topic.ROUNDS) as one, bell.listen(Topic.ROUNDS, Topic.JOBS) as two:
        waiting = asyncio.gather(one.wait(5), two.wait(5))
        await asyncio.sleep(0)
        threading.Thread(target=bell.ring, args=([Topic.ROUNDS],)).start()
        assert all(await waiting)


async def test_listener_that_left_is_forgotten() -> None:
    bell = Bell()
    with bell.listen(Topic.ROUNDS) as listener:
        pass
    bell.ring([Topic.ROUNDS])
    assert not await listener.wait(0.02)


def test_count_grows_with_each_ring() -> None:
    bell = Bell()
    bell.ring([Topic.ROUNDS])
    bell.ring([Topic.ROUNDS, Topic.JOBS])
    assert (bell.count(Topic.ROUNDS), bell.count(Topic.JOBS)) == (2, 1)
