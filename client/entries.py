"""Entries checked by whoever they pay: signed header, proof, own place; and what each number in them means."""

from __future__ import annotations

from client.pins import Pin
from ledger.entry import Entry
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import to_address
from ledger.statements import RoundHeader, Signed
from ledger.tree import verify_proof
from ledger.wire import EntryView


def verify_header(signed: Signed[RoundHeader], pin: Pin, job: bytes, round_number: int) -> None:
    """Checks that the pinned coordinator signed this as the header of that round.

    Raises:
        VerificationError: header-signature or header-round.
    """
    try:
        signed.verify(pin.domain, pin.coordinator)
    except (Malformed, VerificationError) as error:
        raise VerificationError("header-signature", f"not signed by the pinned coordinator ({error})") from None
    head = signed.statement
    if (head.job, head.round) != (job, round_number):
        raise VerificationError("header-round", "the header is of another round", round_number, head.round)


def read_entry(view: EntryView, pin: Pin, job: bytes, round_number: int, node: bytes) -> Entry:
    """The entry, once it is known to be this node's line under a header of that round.

    Raises:
        VerificationError: header-signature, header-round, entry-node, entry-sequence, proof-length or tree-root.
        MalformedStatement, MalformedHex: when it is no entry.
    """
    verify_header(view.header, pin, job, round_number)
    entry = Entry.from_json(view.entry)
    head = view.header.statement
    if entry.node != node:
        raise VerificationError("entry-node", "another node's entry", to_address(node), to_address(entry.node))
    if entry.seq >= head.count:
        raise VerificationError("entry-sequence", "a line after the last", f"below {head.count}", entry.seq)
    verify_proof(head.entries_root, entry.leaf_hash(), view.proof, head.count)
    return entry


def verify_contribution(entry: Entry, contribution: bytes) -> None:
    """Checks that an entry is about this contribution. Raises VerificationError: entry-contribution."""
    if entry.body.contribution != contribution:
        detail = "the entry is about another contribution than the one we hold a receipt for"
        raise VerificationError("entry-contribution", detail, contribution, entry.body.contribution)
