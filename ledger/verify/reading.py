"""Reads a round's files; what is malformed fails the check that the malformed member belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from ledger import canonical, evidence
from ledger.draw import Draw
from ledger.errors import Malformed
from ledger.statements import RoundHeader, Signed
from ledger.verify.bundle import RoundEvidence, RoundFiles
from ledger.verify.results import Findings

T = TypeVar("T")

# Which check a malformed member belongs to, by file; "" stands for the file as a whole and for members not named.
_OWNERS: Final[Mapping[str, Mapping[str, str]]] = {
    evidence.CONTRIBUTIONS: {
        "": "contribution-fields",
        "signature": "contribution-signature",
        "report": "report-digest",
        "voucher": "voucher",
    },
    evidence.RECEIPTS: {
        "": "receipt-sequence",
        "signature": "receipt-signature",
        "accumulator": "receipt-accumulator",
        "anchorBy": "anchor-by",
    },
    evidence.CLOSING: {
        "": "closing-accumulator",
        "signature": "closing-signature",
        "seedDigest": "seed-digest",
        "seed": "seed-digest",
    },
    evidence.OPENINGS: {"": "opening"},
    evidence.DRAW: {"": "cohort-draw"},
    evidence.ENTRIES: {
        "": "entry-contribution",
        "signatures": "entry-signatures",
        **dict.fromkeys(("verdict", "weight", "score"), "verdict-weight"),
        **dict.fromkeys(("earned", "credit", "peak", "gain", "previousRound"), "carry"),
        "reward": "reward-formula",
        **dict.fromkeys(
            ("runningWeight", "runningScore", "runningGain", "runningReward", "runningAggregate"), "running-totals"
        ),
    },
    evidence.HEADER: {
        "": "header-signature",
        "parent": "header-parent",
        **dict.fromkeys(("baseModel", "nextModel"), "header-model"),
        "entriesRoot": "tree-root",
        "accumulator": "closing-accumulator",
        **dict.fromkeys(
            ("count", "totalWeight", "totalScore", "totalGain", "totalReward", "aggregate"), "header-totals"
        ),
        "evidence": "evidence-manifest",
        "beacon": "beacon",
    },
}


def read_round(bundle: RoundFiles, findings: Findings) -> RoundEvidence:
    """Returns what could be read; missing files leave their checks open, malformed ones fail them."""
    return RoundEvidence(
        bundle.round,
        _read(bundle, evidence.HEADER, _decode_header, findings),
        _read(bundle, evidence.CONTRIBUTIONS, evidence.decode_contributions, findings),
        _read(bundle, evidence.RECEIPTS, evidence.decode_receipts, findings),
        _read(bundle, evidence.CLOSING, evidence.decode_closing, findings),
        _read(bundle, evidence.OPENINGS, evidence.decode_openings, findings),
        _read(bundle, evidence.ENTRIES, evidence.decode_entries, findings),
        _read(bundle, evidence.DRAW, Draw.from_bytes, findings),
    )


def _decode_header(content: bytes) -> Signed[RoundHeader]:
    return Signed.from_json(RoundHeader, canonical.decode(content))


def _read(bundle: RoundFiles, name: str, decode: Callable[[bytes], T], findings: Findings) -> T | None:
    content = bundle.files.get(name)
    owners = _OWNERS[name]
    if content is None:
        findings.leave(set(owners.values()), f"{name} was not given")
        return None
    try:
        return decode(content)
    except Malformed as error:
        findings.fail(_find_owner(owners, error.subject), f"{name} is malformed: {error}")
        findings.leave(set(owners.values()), f"{name} is malformed")
        return None


def _find_owner(owners: Mapping[str, str], subject: str) -> str:
    """Subjects look like `Receipt.anchorBy`, `signed Receipt.signature` or `signature.v`."""
    return next((owners[part] for part in subject.split(".") if part in owners), owners[""])
