"""From untrusted bytes to a known round: what is neither proven nor signed by the right key is left out.

A malformed file, or a malformed item of one, is as good as none: what it should have held is a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from ledger import canonical, evidence
from ledger.eip712 import Domain
from ledger.entry import Entry
from ledger.errors import Malformed
from ledger.faults.case import KnownRound, Promises, ShownEntry
from ledger.faults.faults import ProvenEntry
from ledger.faults.trees import find_proofs, is_proven
from ledger.hashing import keccak256
from ledger.hexadecimal import parse_hex
from ledger.signatures import recover
from ledger.statements import Closing, Contribution, Receipt, RoundHeader, Signed, Statement, Terms

S = TypeVar("S", bound=Statement)
P = TypeVar("P", Receipt, Closing, RoundHeader)

NOTHING_HELD: Final = Promises()


def gather(
    domain: Domain,
    terms: Terms,
    header: RoundHeader,
    files: Mapping[str, bytes],
    handed_out: Sequence[bytes] = (),
    held: Promises = NOTHING_HELD,
) -> KnownRound:
    """Returns what these bytes show about the round with this anchored header.

    Args:
        domain: of the chain and ledger that the auditor trusts.
        terms: as the chain has them.
        header: the anchored one.
        files: by name, as `RoundFiles` has them.
        handed_out: replies of `entries/{node}`.
        held: what nodes and others kept.
    """
    made = list(_read_signed(Contribution, _read_list(files, evidence.CONTRIBUTIONS)))
    shown = list(_read_signed(Receipt, _read_list(files, evidence.RECEIPTS)))
    closings = list(_read_signed(Closing, [_read(files, evidence.CLOSING)]))
    headers = list(_read_signed(RoundHeader, [_read(files, evidence.HEADER)]))
    digests = [statement.digest(domain) for statement, _ in made]
    keep = partial(_keep_signed, domain, terms, (header.job, header.round))
    return KnownRound(
        header,
        tuple(_prove(header, files, handed_out)),
        {digest: statement for digest, (statement, _) in zip(digests, made, strict=True)},
        _pair_signatures(digests, [signature for _, signature in made], shown),
        Promises(
            tuple(keep([*shown, *map(_open, held.receipts)])),
            tuple(keep([*closings, *map(_open, held.closings)])),
            tuple(keep([*headers, *map(_open, held.headers)])),
        ),
    )


def add_shown(known: KnownRound, shown: ShownEntry) -> KnownRound:
    """The same round with what a court was shown of it."""
    receipt = shown.receipt
    signatures = keccak256(shown.node_signature + receipt.signature)
    promises = replace(known.promises, receipts=(*known.receipts, receipt))
    return replace(
        known,
        entries=_sort_once((*known.entries, shown.entry)),
        contributions={**known.contributions, shown.entry.entry.body.contribution: shown.contribution},
        signatures={**known.signatures, signatures: (shown.node_signature, receipt.signature)},
        promises=replace(promises, receipts=tuple(dict.fromkeys(promises.receipts))),
    )


def add_entry(known: KnownRound, proven: ProvenEntry) -> KnownRound:
    """The same round with one more entry that is proven."""
    return replace(known, entries=_sort_once((*known.entries, proven)))


def keep_promises(domain: Domain, terms: Terms, held: Promises) -> Promises:
    """What of it the coordinator of these terms signed for this job, of any round."""
    keep = partial(_keep_signed, domain, terms, (terms.job_id(), None))
    return Promises(
        tuple(keep(map(_open, held.receipts))),
        tuple(keep(map(_open, held.closings))),
        tuple(keep(map(_open, held.headers))),
    )


def _keep_signed(
    domain: Domain, terms: Terms, where: tuple[bytes, int | None], items: Iterable[tuple[P, bytes]]
) -> Iterator[Signed[P]]:
    """The statements about this job and round (None: any) that the coordinator signed, each once."""
    job, number = where
    for statement, signature in dict.fromkeys(items):
        named = statement.job == job and number in (None, statement.round)
        if named and _is_signed(domain, terms, statement, signature):
            yield Signed(statement, signature)


def _open(signed: Signed[S]) -> tuple[S, bytes]:
    return signed.statement, signed.signature


def _is_signed(domain: Domain, terms: Terms, statement: Statement, signature: bytes) -> bool:
    try:
        return recover(statement.digest(domain), signature) == terms.coordinator
    except Malformed:
        return False


def _prove(header: RoundHeader, files: Mapping[str, bytes], handed_out: Sequence[bytes]) -> Iterator[ProvenEntry]:
    """The entries that are shown and in the tree, in seq order, each once."""
    published = list(_read_entries(_read_list(files, evidence.ENTRIES)))
    proven = find_proofs(header.entries_root, header.count, published, files.get(evidence.TREE))
    for reply in handed_out:
        proven += _read_reply(header, reply)
    yield from _sort_once(ProvenEntry(header.round, entry, proof) for entry, proof in proven)


def _sort_once(entries: Iterable[ProvenEntry]) -> tuple[ProvenEntry, ...]:
    once = {proven.entry: proven for proven in entries}
    return tuple(sorted(once.values(), key=lambda proven: proven.entry.seq))


def _read_reply(header: RoundHeader, content: bytes) -> list[tuple[Entry, tuple[bytes, ...]]]:
    try:
        reply = canonical.decode(content)
        proof = reply.get("proof") if isinstance(reply, dict) else None
        if not isinstance(reply, dict) or not isinstance(proof, list):
            return []
        entry = Entry.from_json(reply.get("entry"))
        elements = tuple(parse_hex(element, 32, "proof") for element in proof)
    except Malformed:
        return []
    return [(entry, elements)] if is_proven(header.entries_root, header.count, entry.leaf_hash(), elements) else []


def _read_entries(items: Sequence[object]) -> Iterator[Entry]:
    for item in items:
        try:
            yield Entry.from_json(item)
        except Malformed:
            continue


def _read_signed(kind: type[S], items: Iterable[object]) -> Iterator[tuple[S, bytes]]:
    """Statements with whatever bytes stand as their signature: a false one may be what proves a fault."""
    for item in items:
        if not isinstance(item, dict):
            continue
        try:
            yield kind.from_json(item.get("statement")), parse_hex(item.get("signature"))
        except Malformed:
            continue


def _pair_signatures(
    digests: Sequence[bytes], signatures: Sequence[bytes], receipts: Sequence[tuple[Receipt, bytes]]
) -> dict[bytes, tuple[bytes, bytes]]:
    """The node's and the receipt's signature by their joint digest; receipts go with the contribution they name."""
    by_contribution: dict[bytes, list[bytes]] = {}
    for receipt, signature in receipts:
        by_contribution.setdefault(receipt.contribution, []).append(signature)
    return {
        keccak256(own + promised): (own, promised)
        for digest, own in zip(digests, signatures, strict=True)
        for promised in by_contribution.get(digest, ())
    }


def _read(files: Mapping[str, bytes], name: str) -> object:
    try:
        return canonical.decode(files[name]) if name in files else None
    except Malformed:
        return None


def _read_list(files: Mapping[str, bytes], name: str) -> Sequence[object]:
    value = _read(files, name)
    return value if isinstance(value, list) else []
