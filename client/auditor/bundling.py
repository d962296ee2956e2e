"""Writes a job's bundle: what the coordinator hands out and the chain says, as it is, for someone with neither.

Nothing is judged here: a bundle of false evidence shows what was false. The same job at the same block, from a
coordinator that hands out the same files, makes the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from client.auditor.evidence.archive import walk_folder, write_archive
from client.auditor.evidence.bundle import ACCEPTANCE, CHAIN, INDEX, PROOF, SPEC, TERMS, Index, name_blob, name_round
from client.auditor.evidence.proving import ReadChain
from client.auditor.evidence.said import SaidChain
from client.auditor.evidence.sources import EvidenceSource
from client.auditor.learning.learned import EXAMPLES_LIMIT_BYTES
from client.auditor.learning.revealed import PAYLOAD_LIMIT_BYTES
from client.auditor.scope import Silence, Watcher
from contracts.state import Block
from learning.tensors import MAX_HEADER_BYTES
from ledger import canonical, evidence
from ledger.errors import Malformed
from ledger.hashing import sha256
from ledger.spec import JobSpec
from ledger.statements import RoundHeader, Signed

MODEL_LIMIT_BYTES = (1 << 30) - MAX_HEADER_BYTES


@dataclass
class Bundling:
    """A bundle under way, in a folder of its own; `missing` names what was not handed out.

    Args:
        job: whose bundle it is.
        source: who hands out the evidence.
        folder: where the files are laid before they are packed.
        payloads: whether the updates themselves are bundled.
        watcher: is told how far it is.
    """

    job: bytes
    source: EvidenceSource
    folder: Path
    payloads: bool = False
    watcher: Watcher = field(default_factory=Silence)
    missing: list[str] = field(default_factory=list)
    _private: str = field(default="", init=False, repr=False)

    def collect(self, rounds: int) -> None:
        """Fetches the job's files, those of rounds 1 to `rounds`, and the blobs they name."""
        self.watcher.begin(rounds)
        self._lay(INDEX, Index(self.job, rounds).to_bytes())
        files = self.source.fetch_job(self.job)
        for name, content in ((SPEC, files.spec), (TERMS, files.terms), (ACCEPTANCE, files.acceptance)):
            self._lay(name, content)
        self._collect_job_blobs(files.spec or b"")
        for number in range(1, rounds + 1):
            self.watcher.step(number, "fetching")
            self._collect_round(number)
            self.watcher.finish(number)

    def lay_chain(self, chain: ReadChain) -> None:
        """Adds what the chain says, and the proof of it where there is one."""
        facts = chain.facts
        said = SaidChain(
            facts.domain.chain_id or 0,
            facts.domain.verifying_contract or bytes(20),
            chain.block.number,
            chain.block.hash,
            tuple(posted.anchored.final_at for posted in facts.rounds),
            tuple(posted.block for posted in facts.rounds),
            tuple(sorted(facts.claimed)),
            facts.token,
        )
        self._lay(CHAIN, said.to_bytes())
        if chain.proof is not None:
            self._lay(PROOF, chain.proof)

    def pack(self, path: Path) -> None:
        """Packs what was laid. The file is whole or not there at all."""
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            with draft.open("wb") as target:
                write_archive(target, walk_folder(self.folder))
                target.flush()
                os.fsync(target.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def _collect_job_blobs(self, content: bytes) -> None:
        try:
            spec = JobSpec.from_bytes(content)
        except Malformed:
            return
        self._fetch_blob("the initial model", spec.initial_model, MODEL_LIMIT_BYTES)
        self._private = " (private until the job ends)" if spec.validation_holders is not None else ""
        if spec.validation is not None:
            self._fetch_blob(f"the validation file{self._private}", spec.validation, EXAMPLES_LIMIT_BYTES)

    def _collect_round(self, number: int) -> None:
        files = self.source.fetch_round(self.job, number)
        for name, content in sorted(files.items()):
            self._lay(name_round(number, name), content)
        listed = _list_files(files.get(evidence.MANIFEST, b""))
        for name in sorted(listed - set(files)):
            self.missing.append(f"{name_round(number, name)}{self._private if name in evidence.PRIVATE else ''}")
        model = _read_model(files.get(evidence.HEADER, b""))
        if model is not None:
            self._fetch_blob(f"the model of round {number}", model, MODEL_LIMIT_BYTES)
        if self.payloads:
            for digest in _list_payloads(files.get(evidence.OPENINGS, b"")):
                self._fetch_blob(f"a payload of round {number}", digest, PAYLOAD_LIMIT_BYTES)

    def _fetch_blob(self, what: str, digest: bytes, limit_bytes: int) -> None:
        path = self.folder / name_blob(digest)
        if path.exists():
            return
        content = self.source.fetch_blob(digest, limit_bytes)
        if content is None or sha256(content) != digest:
            self.missing.append(f"{what}, {digest.hex()}{'' if content is None else ' (other bytes were handed out)'}")
            return
        self._lay(name_blob(digest), content)

    def _lay(self, name: str, content: bytes | None) -> None:
        if content is None:
            self.missing.append(name)
            return
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle that was written, as of `block`; `missing` names what was asked for and not handed out."""

    path: Path
    job: bytes
    block: Block
    rounds: int
    missing: tuple[str, ...]


def write_bundle(
    job: bytes,
    path: Path,
    source: EvidenceSource,
    chain: ReadChain,
    *,
    payloads: bool = False,
    watcher: Watcher | None = None,
) -> Written:
    """Writes the bundle of a job's posted rounds as of the block that `chain` was read at.

    Args:
        job: the job.
        path: the file; one that exists is replaced when the new one is whole.
        source: who hands out the evidence.
        chain: what the chain says.
        payloads: whether the updates themselves are bundled.
        watcher: is told how far it is.

    Raises:
        BundleTooLarge: there is more than an archive holds.
    """
    rounds = len(chain.facts.rounds)
    with TemporaryDirectory(prefix="tally-bundle-") as folder:
        bundling = Bundling(job, source, Path(folder), payloads, watcher or Silence())
        bundling.lay_chain(chain)
        bundling.collect(rounds)
        bundling.pack(path)
        return Written(path, job, chain.block, rounds, tuple(bundling.missing))


def _list_files(manifest: bytes) -> set[str]:
    try:
        return {*evidence.ALWAYS, *evidence.Manifest.from_bytes(manifest).files}
    except Malformed:
        return set(evidence.ALWAYS)


def _read_model(header: bytes) -> bytes | None:
    try:
        return Signed.from_json(RoundHeader, canonical.decode(header)).statement.next_model
    except Malformed:
        return None


def _list_payloads(openings: bytes) -> Iterator[bytes]:
    try:
        shown = evidence.decode_openings(openings)
    except Malformed:
        return
    yield from (opening.payload_sha256 for opening in shown if opening is not None)
