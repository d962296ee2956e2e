"""Steps 24 to 26: the anchored tree holds exactly these entries, and every proof handed out is one of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger import canonical
from ledger.canonical import JsonValue
from ledger.entry import Entry
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import parse_hex
from ledger.statements import RoundHeader
from ledger.tree import PaddedTree, verify_proof
from ledger.verify.results import Findings

CHECKS = ("tree-padding", "tree-root", "proof-length")


def verify_tree(
    header: RoundHeader | None, entries: Sequence[Entry], dump: bytes | None, findings: Findings
) -> PaddedTree | None:
    """24. The published tree has 2^d leaves, the rest padding; 25. rebuilt from the entries it has the header's root.

    Returns the rebuilt tree.
    """
    try:
        tree = PaddedTree([entry.leaf() for entry in entries])
    except Malformed as error:
        findings.fail("tree-root", f"the entries make no tree: {error}")
        findings.leave("tree-padding", "the entries make no tree")
        return None
    # 25. The root alone decides what can be claimed.
    if header is None:
        findings.leave("tree-root", "the header could not be read")
    else:
        findings.expect("tree-root", tree.root, header.entries_root, "the header signs another root")
    # 24. The dump is what people look at: byte for byte the rebuilt one, else the first difference is named.
    if dump is None:
        findings.leave(("tree-padding", "tree-root"), "tree.json was not given")
        return tree
    if tree.dump_bytes() != dump:
        _compare_dumps(tree.dump(), dump, len(entries), findings)
    findings.note("tree-padding")
    findings.note("tree-root")
    return tree


def verify_proofs(
    header: RoundHeader, entries: Sequence[Entry], tree: PaddedTree, replies: Sequence[bytes], findings: Findings
) -> None:
    """26. The last entry (shown to the chain) and every one handed out are proven by d elements under the root."""
    _verify_proof(header, entries[-1], tree.proof(len(entries) - 1), findings)
    for reply in replies:
        try:
            entry, proof = _read_reply(reply)
        except Malformed as error:
            findings.fail("proof-length", f"an entry that was handed out is malformed: {error}")
            continue
        published = entries[entry.seq] if entry.seq < len(entries) else None
        if entry != published:
            findings.fail("proof-length", "an entry was handed out that is not the published one", entry.seq)
        _verify_proof(header, entry, proof, findings)
    findings.note("proof-length", 1 + len(replies))


def _verify_proof(header: RoundHeader, entry: Entry, proof: Sequence[bytes], findings: Findings) -> None:
    try:
        verify_proof(header.entries_root, entry.leaf_hash(), proof, header.count)
    except (VerificationError, Malformed) as error:
        findings.fail("proof-length", str(error), entry.seq)


def _read_reply(content: bytes) -> tuple[Entry, list[bytes]]:
    reply = canonical.decode(content)
    proof = reply.get("proof") if isinstance(reply, dict) else None
    if not isinstance(reply, dict) or not isinstance(proof, list):
        raise Malformed("entry with proof", "an object with entry and proof", reply)
    return Entry.from_json(reply.get("entry")), [parse_hex(element, 32, "proof") for element in proof]


def _compare_dumps(rebuilt: Mapping[str, JsonValue], content: bytes, count: int, findings: Findings) -> None:
    try:
        dump = canonical.decode(content)
    except Malformed as error:
        findings.fail("tree-root", f"tree.json is malformed: {error}")
        return
    if dump == rebuilt:  # the same tree, written in another order
        return
    if not isinstance(dump, dict):
        findings.fail("tree-root", "tree.json is no tree")
        return
    ours, theirs = rebuilt["values"], dump.get("values")
    assert isinstance(ours, list)  # noqa: S101  PaddedTree.dump writes a list
    if not isinstance(theirs, list) or len(theirs) != len(ours):
        got = len(theirs) if isinstance(theirs, list) else None
        findings.expect("tree-padding", len(ours), got, "the tree has another number of leaves")
    elif ours[count:] != theirs[count:]:
        findings.fail("tree-padding", "a leaf past the last entry is not padding")
    findings.fail("tree-root", "tree.json is not the tree of the entries")
