"""The coordinator as it lies: it seals a round in truth, rewrites what it publishes of it, and posts that itself."""

from collections.abc import Mapping

from sqlmodel import Session, col, delete

from coordinator.rounds import store
from coordinator.rounds.tables import EntryRow, EvidenceRow, RoundRow
from ledger import canonical, evidence
from ledger.evidence import (
    decode_closing,
    decode_contributions,
    decode_entries,
    decode_receipts,
)
from ledger.hashing import sha256
from ledger.statements import RoundHeader, Signed
from tests.chain.accusing import find_last
from tests.dishonest.draft import Draft
from tests.dishonest.lies import Lie
from tests.dishonest.stage import COORDINATOR, Scene


def draft_sealed(scene: Scene, number: int) -> Draft:
    """A sealed round, as if its header were not signed yet."""
    context, job = scene.house.context, scene.stage.job
    with context.database.read() as session:
        row = store.find_round(session, job, number)
        assert row is not None
        assert row.header is not None
        header = RoundHeader.from_json(canonical.decode(row.header))
        files = _load_files(scene, session, number)
        earlier = {
            before: {entry.node: entry for entry in decode_entries(_load_files(scene, session, before)["entries.json"])}
            for before in range(1, number)
        }
    return Draft(
        domain=context.domain,
        coordinator=context.signer,
        terms=scene.stage.terms,
        header=header,
        entries=decode_entries(files[evidence.ENTRIES]),
        contributions=decode_contributions(files[evidence.CONTRIBUTIONS]),
        receipts=decode_receipts(files[evidence.RECEIPTS]),
        closing=decode_closing(files[evidence.CLOSING]),
        earlier=earlier,
        files=files,
    )


def publish_lie(scene: Scene, lie: Lie, seq: int, number: int = 2) -> Draft:
    """Tells a lie about a sealed round: to whoever asks the API, and to the chain."""
    draft = draft_sealed(scene, number)
    lie.tell(draft, seq)
    header, files = draft.publish()
    with scene.house.context.database.write() as session:
        _rewrite(scene, session, draft, header, files)
    post(scene, draft)
    return draft


def give_out(scene: Scene, header: RoundHeader, files: Mapping[str, bytes]) -> None:
    """Hands out these files of a round after all."""
    with scene.house.context.database.write() as session:
        _rewrite_files(scene, session, header.round, files)


def post(scene: Scene, draft: Draft) -> None:
    """Anchors the header of a draft that was published."""
    last = find_last(draft, draft.header)
    call = scene.gateway.calls.post_round(draft.header, last, draft.prove(last.leaf()))
    scene.stage.sender(scene.gateway, COORDINATOR).execute(call)


def _rewrite(scene: Scene, session: Session, draft: Draft, header: RoundHeader, files: Mapping[str, bytes]) -> None:
    context, job, number = scene.house.context, scene.stage.job, header.round
    row = store.find_round(session, job, number)
    assert row is not None
    shown = Signed.issue(draft.shown or header, context.domain, context.signer)
    row.header, row.header_signature = canonical.encode(shown.statement.to_json()), shown.signature
    row.header_digest, row.count = shown.statement.digest(context.domain), header.count
    session.add(row)
    _rewrite_files(scene, session, number, files)
    _rewrite_entries(session, draft, row)


def _rewrite_files(scene: Scene, session: Session, number: int, files: Mapping[str, bytes]) -> None:
    context, job = scene.house.context, scene.stage.job
    context.blobs.save(*files.values())
    session.exec(delete(EvidenceRow).where(col(EvidenceRow.job) == job, col(EvidenceRow.round) == number))
    for name, content in files.items():
        if name != evidence.HEADER:
            digest = sha256(content)
            session.add(EvidenceRow(job=job, round=number, name=name, sha256=digest, size_bytes=len(content)))


def _rewrite_entries(session: Session, draft: Draft, row: RoundRow) -> None:
    """What nodes are handed; a table that holds a node once cannot lie about that."""
    nodes = {entry.node for entry in draft.entries}
    if draft.leaves is not None or len(nodes) != len(draft.entries):
        return
    session.exec(delete(EntryRow).where(col(EntryRow.job) == row.job, col(EntryRow.round) == row.round))
    for entry in draft.entries:
        session.add(
            EntryRow(
                job=row.job,
                round=row.round,
                seq=entry.seq,
                node=entry.node,
                body=entry.body.digest(),
                entry=canonical.encode(entry.to_json()),
                verdict=entry.body.verdict,
                score=entry.body.score,
                reward=entry.body.reward,
                earned=entry.earned,
            )
        )


def _load_files(scene: Scene, session: Session, number: int) -> dict[str, bytes]:
    rows = store.list_evidence(session, scene.stage.job, number)
    return {name: scene.house.context.blobs.load(row.sha256) for name, row in rows.items() if name != evidence.MANIFEST}
