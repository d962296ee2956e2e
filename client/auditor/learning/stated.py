"""Updates as a round's own account names them, where it was not recomputed: believed until they are compared with.

What a later round is compared with must be what the payloads are. So each is read once before that: where one is not
what `screening.json` says of it, nothing that follows from it passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from client.auditor.learning.learned import Unknown
from learning.payload import compute_update_digest, read_update
from learning.quantise import compute_norm_squared
from learning.tensors import MalformedArrays
from ledger import evidence
from ledger.screening import Original, Reason, Rule, decode_reasons
from ledger.verify.bundle import RoundEvidence

_PASSED = (Rule.ACCEPTED, Rule.AGGREGATION)


@dataclass(frozen=True, slots=True)
class StatedUpdate:
    """An update as `screening.json` tells of it: SHA-256 of its payload and of its elements, Σu², whether it passed.

    Digest of the elements and Σu² are None where the account leaves them out: no honest one does for what passed.
    """

    place: Original
    payload: bytes
    update: bytes | None
    norm_squared: int | None
    passed: bool = True

    def find_problem(self, content: bytes, size: int) -> str | None:
        """How the payload `content`, an update of `size` parameters, contradicts the account; None if it does not."""
        where = f"round {self.place.round}'s {evidence.SCREENING} is contradicted: the payload of seq {self.place.seq}"
        try:
            update = read_update(content, size)
        except MalformedArrays as error:
            return f"{where} is no update ({error})"
        if compute_update_digest(update) != self.update:
            return f"{where} holds another update"
        norm_squared = compute_norm_squared(update)
        if norm_squared != self.norm_squared:
            return f"{where} has a Σu² of {norm_squared}, not {self.norm_squared}"
        return None


def list_stated(read: RoundEvidence, files: Mapping[str, bytes]) -> list[StatedUpdate]:
    """The updates that may be copied, by their digests in `screening.json` and the payloads in `openings.json`.

    Raises:
        Unknown: a file that it takes is not given.
        Malformed: `screening.json` is not what it should be.
    """
    if evidence.SCREENING not in files or read.contributions is None or read.openings is None:
        raise Unknown(f"{evidence.SCREENING}, contributions or openings were not given")
    _, reasons = decode_reasons(files[evidence.SCREENING])
    return list(_pair(read, reasons))


def _pair(read: RoundEvidence, reasons: list[Reason]) -> Iterator[StatedUpdate]:
    for reason, item, opening in zip(reasons, read.contributions or (), read.openings or (), strict=False):
        passed = reason.rule in _PASSED
        if opening is not None and (passed or reason.update is not None):
            place = Original(read.round, reason.seq, item.signed.statement.node)
            yield StatedUpdate(place, opening.payload_sha256, reason.update, reason.norm_squared, passed)
