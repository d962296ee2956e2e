"""What nodes hand to auditors: everything a coordinator signed to them, once, and nothing secret."""

import json
from pathlib import Path

import pytest

from client.auditor.watch.held import load_promises
from client.node.records.archive import Archive
from client.node.records.database import Database
from client.node.records.journal import Journal, Kept
from client.node.records.promised import collect_promises
from ledger.commitment import Opening
from ledger.errors import VerificationError
from ledger.hashing import keccak256
from ledger.statements import RoundHeader, Signed
from tests.simulated.job import SimulatedJob
from tests.simulated.lying import draft_round, play_honest


def keep(journal: Journal, job: SimulatedJob, number: int, seq: int) -> None:
    draft = draft_round(job, number)
    receipt = draft.receipts[seq]
    digest = receipt.statement.contribution
    opening = Opening(bytes(32), bytes(32), keccak256(digest))
    node = receipt.statement.node
    kept = Kept(node, job.id, number, digest, "prepared", "", b"{}", b"{}", opening, None, None, 0)
    journal.keep(kept, b"payload")
    journal.keep_receipt(digest, json.dumps(receipt.to_json()).encode())
    journal.keep_closing(digest, json.dumps(draft.closing.signed.to_json()).encode())


def test_file_for_auditors_holds_each_promise_once(tmp_path: Path) -> None:
    job = play_honest()
    database = Database(tmp_path / "journal.sqlite")
    journal, archive = Journal(database), Archive(database)
    for number, seq in ((1, 0), (1, 1), (2, 0)):
        keep(journal, job, number, seq)
    header = job.rounds[0].header
    archive.keep_header(header.statement.digest(job.domain), header)
    other = Signed.issue(
        RoundHeader(*(*header.statement.values()[:4], bytes(32), *header.statement.values()[5:])),
        job.domain,
        job.coordinator,
    )
    with pytest.raises(VerificationError, match="two-headers"):
        archive.keep_header(other.statement.digest(job.domain), other)
    nodes = journal.list_nodes()
    path = tmp_path / "promises.json"
    path.write_text(json.dumps(collect_promises(journal, archive, nodes)))
    held = load_promises([path])
    assert len(held.receipts) == 3
    assert {closing.statement.round for closing in held.closings} == {1, 2}
    assert len(held.closings) == 2
    assert set(held.headers) == {header, other}
    assert collect_promises(journal, archive, nodes, bytes(32)) == {"receipts": [], "closings": [], "headers": []}
    assert "salt" not in path.read_text()
    database.close()
