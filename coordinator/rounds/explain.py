"""Why a node was paid this: sentences made of the signed entry and header, and of `screening.json` that it signs."""

from __future__ import annotations

from sqlmodel import Session

from coordinator.jobs.agreement import load_agreement
from coordinator.jobs.service import load_job
from coordinator.rounds import store
from coordinator.rounds.views import show_entry
from coordinator.storage.blobs import BlobStore
from ledger import evidence, wire
from ledger.entry import Entry
from ledger.explanation import explain_entry
from ledger.verdicts import read_reason


def explain(session: Session, blobs: BlobStore, job: bytes, number: int, node: bytes) -> wire.Explanation:
    """Explain an entry. Raises UnknownJob, UnknownRound, NotSealedYet, UnknownEntry."""
    terms = load_agreement(load_job(session, job)).terms
    view = show_entry(session, job, number, node)
    entry, header = Entry.from_json(view.entry), view.header.statement
    files = store.list_evidence(session, job, number)
    manifest, screening = (blobs.load(files[name].sha256) for name in (evidence.MANIFEST, evidence.SCREENING))
    lines = explain_entry(entry, header, terms, read_reason(header, manifest, screening, entry))
    return wire.Explanation(job=job, round=number, node=node, lines=lines, entry=view)
