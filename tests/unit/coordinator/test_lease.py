"""The worker's lease: one holder, renewed, and free at once when the holder's process is gone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from coordinator.running import lease
from coordinator.storage.bell import Bell
from coordinator.storage.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{(tmp_path / 'test.sqlite').as_posix()}", Bell())
    database.create_tables()
    yield database
    database.close()


def acquire(database: Database, holder: str, now: int) -> bool:
    with database.write() as session:
        return lease.acquire(session, holder, now, 10)


def test_second_worker_waits_until_the_first_is_silent(database: Database) -> None:
    first, second = lease.name_holder("one"), lease.name_holder("two")
    assert acquire(database, first, 100)
    assert not acquire(database, second, 105)
    assert acquire(database, first, 109)
    assert not acquire(database, second, 118)
    assert acquire(database, second, 119)
    assert not acquire(database, first, 120)


def test_released_lease_is_free(database: Database) -> None:
    first, second = lease.name_holder("one"), lease.name_holder("two")
    assert acquire(database, first, 100)
    with database.write() as session:
        lease.release(session, second)
    assert not acquire(database, second, 101)
    with database.write() as session:
        lease.release(session, first)
    assert acquire(database, second, 101)


def test_lease_of_a_dead_process_need_not_run_out(database: Database) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = psutil.Process(process.pid).create_time()
    machine = lease.name_holder("x").rsplit("/", 3)[0]
    holder = f"{machine}/{process.pid}/{began:.2f}/token"
    assert acquire(database, holder, 100)
    assert not acquire(database, lease.name_holder("mine"), 101)
    process.communicate(b"\n")
    assert acquire(database, lease.name_holder("mine"), 101)


def test_lease_of_another_machine_is_respected(database: Database) -> None:
    assert acquire(database, "elsewhere/1/1.00/token", 100)
    assert not acquire(database, lease.name_holder("mine"), 101)
