"""The journal: what is kept before it is sent, what a crash leaves, and the one signature for a round."""

import asyncio
import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.node.records.database import Database, DatabaseThread, JournalUnusable
from client.node.records.journal import Journal, Kept, SignedAlready
from tests.unit.client.node.promising import NODE, make_work, prepare


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database(path)
    yield opened
    opened.close()


@pytest.fixture
def journal(database: Database) -> Journal:
    return Journal(database)


def reopen(path: Path) -> Journal:
    return Journal(Database(path))


KEPT = prepare(make_work())


def test_prepared_contribution_comes_back_as_it_was(journal: Journal) -> None:
    journal.keep(KEPT, b"payload")
    assert journal.find(NODE.address, KEPT.job, KEPT.round) == KEPT
    assert journal.load_payload(KEPT.contribution) == b"payload"
    assert journal.find_unfinished(NODE.address) == [KEPT]
    assert journal.list_nodes() == [NODE.address]


def test_registered_nodes_are_ours_before_they_sign_anything(journal: Journal) -> None:
    """Commands about all nodes of this machine must find a fleet that waits, as for want of stake."""
    other = bytes([7]) * 20
    journal.note_nodes([other, NODE.address])
    journal.note_nodes([other])
    journal.keep(KEPT, b"payload")
    assert journal.list_nodes() == sorted([other, NODE.address])


def test_keeping_the_same_again_changes_nothing(journal: Journal) -> None:
    journal.keep(KEPT, b"payload")
    journal.keep_receipt(KEPT.contribution, b"receipt")
    journal.keep(KEPT, b"payload")
    assert find(journal).state == "receipted"


def test_second_contribution_to_a_round_is_never_kept(journal: Journal) -> None:
    other = prepare(make_work(), salt=bytes([10]) * 32)
    journal.keep(KEPT, b"payload")
    with pytest.raises(SignedAlready, match="never signed"):
        journal.keep(other, b"other payload")
    assert journal.find_all(NODE.address) == [KEPT]
    assert journal.load_payload(other.contribution) is None


def test_ended_contribution_still_bars_a_second_one(journal: Journal) -> None:
    journal.keep(KEPT, b"payload")
    journal.mark_ended(KEPT.contribution, "the round is closed")
    with pytest.raises(SignedAlready):
        journal.keep(prepare(make_work(), salt=bytes([10]) * 32), b"other payload")


def find(journal: Journal) -> Kept:
    kept = journal.find(NODE.address, KEPT.job, KEPT.round)
    assert kept is not None
    return kept


@pytest.mark.parametrize("steps", range(5))
def test_state_after_a_crash_at_each_step_is_the_last_one_written(path: Path, steps: int) -> None:
    journal = reopen(path)
    changes: list[Callable[[], None]] = [
        lambda: journal.keep(KEPT, b"payload"),
        lambda: journal.keep_receipt(KEPT.contribution, b"receipt"),
        lambda: journal.keep_closing(KEPT.contribution, b"closing"),
        lambda: journal.mark_revealed(KEPT.contribution),
    ]
    for change in changes[:steps]:
        change()
    # Nothing is closed: the process is gone. Another one opens the file.
    after = reopen(path)
    if steps == 0:
        assert after.find_all(NODE.address) == []
        return
    states = ["prepared", "receipted", "closed", "revealed"]
    kept = find(after)
    assert kept.state == states[steps - 1]
    assert kept.request == KEPT.request
    assert after.load_payload(KEPT.contribution) == (None if steps == 4 else b"payload")
    assert bool(after.find_unfinished(NODE.address)) == (steps < 4)


def test_killed_process_leaves_what_it_kept(path: Path) -> None:
    """A kill −9 right after `keep` returned: the row and the payload are on disk."""
    code = (
        "import os, sys, signal; from pathlib import Path\n"
        "from client.node.records.database import Database; from client.node.records.journal import Journal\n"
        "from tests.unit.client.node.promising import make_work, prepare\n"
        "Journal(Database(Path(sys.argv[1]))).keep(prepare(make_work()), b'payload')\n"
        "os._exit(9) if os.name == 'nt' else os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).resolve().parents[4]
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=root, check=False)
    assert done.returncode != 0
    journal = reopen(path)
    assert find(journal) == KEPT
    assert journal.load_payload(KEPT.contribution) == b"payload"


def test_steps_out_of_order_change_nothing(journal: Journal) -> None:
    journal.keep(KEPT, b"payload")
    journal.keep_closing(KEPT.contribution, b"closing")
    journal.mark_revealed(KEPT.contribution)
    assert find(journal).state == "prepared"


def test_first_receipt_stays(journal: Journal) -> None:
    journal.keep(KEPT, b"payload")
    journal.keep_receipt(KEPT.contribution, b"receipt")
    journal.keep_receipt(KEPT.contribution, b"another")
    assert find(journal).receipt == b"receipt"


def test_refused_receipt_is_kept_as_evidence(journal: Journal) -> None:
    journal.keep(KEPT, b"payload")
    journal.mark_ended(KEPT.contribution, "receipt refused", receipt=b"bad receipt")
    assert dataclasses.replace(find(journal)).receipt == b"bad receipt"
    assert find(journal).state == "ended"


async def test_waiting_changes_share_a_transaction_and_fail_alone(database: Database, journal: Journal) -> None:
    thread = DatabaseThread(database)
    works = [make_work(number) for number in range(1, 21)]
    kept = [prepare(work) for work in works]
    second = prepare(works[3], salt=bytes([10]) * 32)
    changes = [lambda item=item: journal.keep(item, b"payload") for item in [*kept, second]]
    results = await asyncio.gather(*(thread.run(change) for change in changes), return_exceptions=True)
    thread.close()
    assert results[:-1] == [None] * len(kept)
    assert isinstance(results[-1], SignedAlready)
    assert [item.round for item in journal.find_all(NODE.address)] == list(range(1, 21))


def test_unusable_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(JournalUnusable, match="backup"):
        Database(tmp_path / "journal.sqlite")
