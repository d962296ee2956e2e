"""Models, taken home: the bytes checked against their digest, the digest against a signed header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from client import calls
from client.contact import Contact
from client.entries import verify_header
from client.errors import ClientError, CoordinatorRefused
from client.home import save_durably
from ledger.errors import VerificationError
from ledger.hexadecimal import to_hex


class FileInTheWay(ClientError):
    """A file that would be written exists and holds something else."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path} exists and holds something else: choose another name with --out, or move it away; "
            "nothing was written"
        )


@dataclass(frozen=True, slots=True)
class TakenModel:
    """A model file that was written; `origin` says which signed statement names it."""

    model: bytes
    job: bytes
    round: int
    path: Path
    card: Path | None
    size_bytes: int
    origin: str

    def to_json(self) -> dict[str, object]:
        """The facts for --json."""
        return {
            "model": to_hex(self.model),
            "job": to_hex(self.job),
            "round": self.round,
            "file": str(self.path),
            "card": None if self.card is None else str(self.card),
            "bytes": self.size_bytes,
            "origin": self.origin,
        }


def fetch_model(found: Contact, name: bytes, out: Path) -> TakenModel:
    """Downloads a model by its digest, or the newest one of the job with this id, with its card.

    Raises:
        CoordinatorRefused: there is no such model or job.
        VerificationError: blob-digest, header-signature, header-round or header-model: it is not what was signed.
        FileInTheWay: a file of that name holds something else; nothing is written.
    """
    digest = _find_newest(found, name) or name
    view = found.api.fetch(calls.model(digest))
    origin = _verify_origin(found, digest, view.job, view.round)
    card = None if view.card is None else out.with_suffix(".md")
    content = found.api.fetch(calls.blob(digest))
    files = {out: content} if card is None or view.card is None else {out: content, card: view.card.encode()}
    for path, wanted in files.items():
        _verify_free(path, wanted)
    for path, wanted in files.items():
        save_durably(path, wanted)
    return TakenModel(digest, view.job, view.round, out, card, len(content), origin)


def _verify_free(path: Path, content: bytes) -> None:
    try:
        held = path.read_bytes()
    except FileNotFoundError:
        return
    if held != content:
        raise FileInTheWay(path)


def _find_newest(found: Contact, name: bytes) -> bytes | None:
    try:
        return found.api.fetch(calls.job(name)).model
    except CoordinatorRefused as error:
        if error.status != 404:
            raise
        return None


def _verify_origin(found: Contact, digest: bytes, job: bytes, round_number: int) -> str:
    """Which signed statement names the model: a header, or for round 0 the spec that the terms name."""
    if round_number == 0:
        terms, spec = found.api.fetch(calls.job(job)).terms, found.api.fetch(calls.spec(job))
        if (terms.job_id(), spec.digest(), spec.initial_model) != (job, terms.spec_digest, digest):
            raise VerificationError("header-model", "the job's spec starts from another model", got=digest)
        return "the initial model of its job's spec"
    header = found.api.fetch(calls.header(job, round_number)).header
    verify_header(header, found.pin, job, round_number)
    if header.statement.next_model != digest:
        raise VerificationError(
            "header-model", "the signed header names another model", header.statement.next_model, digest
        )
    return f"named by the signed header of round {round_number}"
