"""Group commit: many items in one transaction, and one bad item fails alone."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlmodel import Session

from coordinator.storage.bell import Bell
from coordinator.storage.database import Database
from coordinator.storage.group_commit import GroupCommit


class RefusedItem(Exception):
    """Said to one item only."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{(tmp_path / 'test.sqlite').as_posix()}", Bell())
    yield database
    database.close()


async def test_waiting_items_share_a_transaction(database: Database) -> None:
    batches: list[int] = []

    def handle(_: Session, items: Sequence[int]) -> list[int | Exception]:
        batches.append(len(items))
        return [10 * item for item in items]

    group: GroupCommit[int, int] = GroupCommit(database, handle)
    assert await asyncio.gather(*(group.submit(item) for item in range(50))) == [10 * item for item in range(50)]
    assert sum(batches) == 50
    assert len(batches) <= 3


async def test_refusal_reaches_its_item_only(database: Database) -> None:
    def handle(_: Session, items: Sequence[int]) -> list[int | Exception]:
        return [RefusedItem() if item == 1 else item for item in items]

    group: GroupCommit[int, int] = GroupCommit(database, handle)
    answers = await asyncio.gather(*(group.submit(item) for item in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, RefusedItem, int]


async def test_crash_of_one_item_does_not_fail_its_neighbours(database: Database) -> None:
    def handle(_: Session, items: Sequence[int]) -> list[int | Exception]:
        return [100 // (item - 2) for item in items]

    group: GroupCommit[int, int] = GroupCommit(database, handle)
    answers = await asyncio.gather(*(group.submit(item) for item in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, int, ZeroDivisionError, int, int]
    assert await group.submit(4) == 50


async def test_one_who_left_is_not_missed(database: Database) -> None:
    group: GroupCommit[int, int] = GroupCommit(database, lambda _, items: list(items))
    leaving = asyncio.create_task(group.submit(1))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await group.submit(2) == 2
