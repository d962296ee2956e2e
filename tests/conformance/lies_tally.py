"""Lies about entries, the tree, the header and its manifest."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from client.auditor.evidence.bundle import name_round
from ledger import canonical, evidence
from ledger.entry import Verdict
from ledger.hashing import keccak256
from ledger.signatures import Signer
from ledger.tree import Leaf, PaddedTree
from tests.conformance.case import ANY, LEARNING, NONE, Case, drop, edit
from tests.conformance.case import UNKNOWN as NOT_KNOWN
from tests.conformance.draft import LAST, Draft

STRANGER = Signer(keccak256(b"a stranger's key"))
OTHER = keccak256(b"something else")


def list_tally() -> Iterator[Case]:
    yield from _list_entries()
    yield from _list_pay()
    yield from _list_trees()
    yield from _list_headers()
    yield from _list_manifests()


def _list_entries() -> Iterator[Case]:
    yield Case("entry-contribution", "omitted", _omit)
    yield Case("entry-contribution", "invented", _invent, others=ANY)
    yield Case("entry-contribution", "another-digest", lambda draft: draft.bend(2, contribution=OTHER))
    yield Case("entry-contribution", "another-node", lambda draft: draft.bend(3, node=STRANGER.address), others=ANY)
    yield Case("entry-signatures", "others", lambda draft: draft.bend(1, signatures=OTHER))
    yield Case("verdict-weight", "counts-twice", partial(_bend, 0, {"weight": 2}), others=ANY)
    yield Case("verdict-weight", "unrevealed-with-weight", partial(_bend, 3, {"weight": 1}), others=ANY)
    yield Case("verdict-weight", "unknown-verdict", partial(_bend, 3, {"verdict": 10}), others=ANY)
    yield Case("verdict-weight", "void-for-one", partial(_bend, 3, {"verdict": int(Verdict.VOID)}), others=ANY)
    yield Case("entry-contribution", "hidden", lambda _: drop(name_round(LAST, evidence.ENTRIES)), outcome=NOT_KNOWN)


def _omit(draft: Draft) -> None:
    """The last receipt gets no entry; what is left adds up, and the pot is shared anew."""
    draft.entries.pop()
    contribution, receipt, opening = draft.contributions.pop(), draft.receipts.pop(), draft.openings.pop()
    draft.account()
    draft.contributions.append(contribution)
    draft.receipts.append(receipt)
    draft.openings.append(opening)


def _invent(draft: Draft) -> None:
    """One more entry than receipts, of a node that nobody heard of."""
    last = draft.entries[-1]
    body = replace(last.body, contribution=OTHER, weight=0, score=0, credit=0, peak=0, gain=0, reward=0)
    body = replace(body, verdict=int(Verdict.MALFORMED), previous_round=0)
    draft.entries.append(replace(last, seq=last.seq + 1, node=STRANGER.address, earned=0, body=body))


def _bend(seq: int, body: dict[str, Any], draft: Draft) -> None:
    draft.bend(seq, **body)
    draft.resum()


def _list_pay() -> Iterator[Case]:
    yield Case("carry", "earned-plus-one", lambda draft: draft.bend(2, earned=1))
    yield Case("carry", "earned-doubled", lambda draft: draft.bend(2, earned=draft.entries[2].earned))
    yield Case("carry", "earned-forgotten", _forget_earned)
    yield Case(
        "carry", "credit-given", lambda draft: draft.bend(3, credit=draft.entries[3].body.credit + 1), others=ANY
    )
    yield Case("carry", "peak-kept-high", lambda draft: draft.bend(3, peak=draft.entries[3].body.peak + 1))
    yield Case("carry", "previous-round-zero", lambda draft: draft.bend(0, previous_round=0))
    yield Case("carry", "previous-round-later", lambda draft: draft.bend(0, previous_round=LAST))
    yield Case("carry", "gain-invented", _invent_gain, others=ANY)
    yield Case("reward-formula", "one-unit-more", partial(_reward, {0: 1}))
    yield Case("reward-formula", "one-unit-less", partial(_reward, {4: -1}))
    yield Case("reward-formula", "moved-to-another-node", partial(_reward, {0: 10**15, 1: -(10**15)}))
    yield Case("reward-formula", "pot-doubled", _double_pot)
    yield Case("reward-formula", "pay-for-nothing", partial(_reward, {3: 10**15}))
    for name in ("weight", "score", "gain", "reward"):
        yield Case("running-totals", f"{name}-bent-in-the-middle", partial(_bend_running, name))
    yield Case("running-totals", "aggregate-where-there-is-none", lambda draft: draft.bend(1, running_aggregate=OTHER))


def _forget_earned(draft: Draft) -> None:
    entry = draft.entries[0]
    draft.bend(0, earned=entry.body.reward - entry.earned)


def _invent_gain(draft: Draft) -> None:
    draft.bend(3, gain=10**9)
    draft.resum()


def _reward(changes: dict[int, int], draft: Draft) -> None:
    for seq, more in changes.items():
        draft.bend(seq, earned=more, reward=draft.entries[seq].body.reward + more)
    draft.resum()


def _double_pot(draft: Draft) -> None:
    _reward({seq: entry.body.reward for seq, entry in enumerate(draft.entries)}, draft)


def _bend_running(name: str, draft: Draft) -> None:
    member = f"running_{name}"
    draft.bend(2, **{member: getattr(draft.entries[2].body, member) + 1})


def _list_trees() -> Iterator[Case]:
    yield Case("tree-padding", "hidden-leaf", _hide_leaf, others=ANY)
    yield Case("tree-padding", "hidden-leaf-unsigned", _show_leaf, others=ANY)
    yield Case("tree-padding", "leaf-more", partial(_resize, 1), others=ANY)
    yield Case("tree-padding", "leaf-less", partial(_resize, -1), others=ANY)
    yield Case("tree-padding", "twice-the-size", partial(_resize, 8), others=ANY)
    yield Case("tree-padding", "half-the-size", partial(_resize, -4), others=ANY)
    yield Case("tree-root", "swapped", lambda draft: draft.header.update(entries_root=OTHER), others=ANY)
    yield Case("tree-root", "of-the-round-before", _take_older_root, others=ANY)
    yield Case("tree-root", "leaf-repeated", _repeat_leaf)
    yield Case("tree-root", "leaf-altered", _alter_leaf)
    yield Case("tree-root", "missing-byte", lambda draft: _dump(draft, lambda text: text[:-1]))
    yield Case("tree-root", "trailing-byte", lambda draft: _dump(draft, lambda text: text + b"]"))
    for at in range(15):
        yield Case("tree-root", f"bit-in-node-{at:02d}", partial(_flip_node, at))
    yield Case("proof-length", "count-doubled", partial(_head, {"count": 10}), others=ANY)
    yield Case("proof-length", "count-halved", partial(_head, {"count": 2}), others=ANY)


def _dump(draft: Draft, change: Any) -> None:
    draft.tree = change(canonical.encode(draft.build_tree().dump()))


def _hide_leaf(draft: Draft) -> None:
    """A leaf past the last entry that pays: the root is signed and anchored over it, and the dump shows padding."""
    leaves = [entry.leaf() for entry in draft.entries]
    leaves += [Leaf(5, STRANGER.address, 10**18, OTHER)]
    forged = PaddedTree(leaves)
    draft.header.update(entries_root=forged.root)
    draft.tree = canonical.encode(forged.dump())


def _show_leaf(draft: Draft) -> None:
    """The dump alone shows another leaf where padding is."""
    dump: Any = draft.build_tree().dump()
    dump["values"][6]["value"] = ["6", "0x" + "11" * 20, "1", "0x" + "22" * 32]
    draft.tree = canonical.encode(dump)


def _resize(more: int, draft: Draft) -> None:
    """The dump of a tree with more or fewer leaves than 2^d."""
    dump: Any = draft.build_tree().dump()
    values = dump["values"]
    dump["values"] = values + values[:more] if more > 0 else values[:more]
    draft.tree = canonical.encode(dump)


def _take_older_root(draft: Draft) -> None:
    older = evidence.decode_entries(draft.files[name_round(LAST - 1, evidence.ENTRIES)])
    draft.header.update(entries_root=PaddedTree([entry.leaf() for entry in older]).root)


def _repeat_leaf(draft: Draft) -> None:
    dump: Any = draft.build_tree().dump()
    dump["values"][1] = dump["values"][0]
    draft.tree = canonical.encode(dump)


def _alter_leaf(draft: Draft) -> None:
    dump: Any = draft.build_tree().dump()
    dump["values"][0]["value"][2] = str(10**18)
    draft.tree = canonical.encode(dump)


def _flip_node(at: int, draft: Draft) -> None:
    dump: Any = draft.build_tree().dump()
    node = bytearray.fromhex(dump["tree"][at][2:])
    node[at] ^= 1 << at % 8
    dump["tree"][at] = "0x" + node.hex()
    draft.tree = canonical.encode(dump)


def _list_headers() -> Iterator[Case]:
    yield Case("header-signature", "another-key", _sign_by_stranger)
    yield Case("header-signature", "another-job", partial(_head, {"job": OTHER}))
    yield Case("header-signature", "another-round", partial(_head, {"round": LAST + 1}))
    yield Case("header-signature", "altered-after-signing", lambda _: edit(_HEADER, _alter_header), others=ANY)
    yield Case("header-signature", "missing-byte", lambda _: edit(_HEADER, lambda text: text[:-1]), others=ANY)
    yield Case("header-signature", "left-out", lambda _: drop(_HEADER), outcome=NOT_KNOWN)
    for name, more in (("count", 1), ("count", -1), ("total_weight", 1), ("total_score", 1), ("total_gain", 1)):
        yield Case(
            "header-totals",
            f"{name.replace('_', '-')}-{'plus' if more > 0 else 'minus'}-one",
            partial(_total, name, more),
            ANY if name == "count" else NONE,
        )
    yield Case("header-totals", "total-reward-plus-one", partial(_total, "total_reward", 1))
    yield Case("header-totals", "total-weight-doubled", partial(_total, "total_weight", 4))
    yield Case("header-totals", "aggregate-where-there-is-none", partial(_head, {"aggregate": OTHER}))
    yield Case("header-parent", "another-history", partial(_head, {"parent": OTHER}))
    yield Case("header-parent", "closed-before-it-opened", partial(_head, {"opened_at": 1_800_000_141}), others=ANY)
    yield Case("header-model", "another-base", partial(_head, {"base_model": OTHER}))
    yield Case("budget", "over", _overspend, others=ANY)


_HEADER = name_round(LAST, evidence.HEADER)


def _head(changes: dict[str, Any], draft: Draft) -> None:
    draft.header.update(changes)


def _total(name: str, more: int, draft: Draft) -> None:
    last, members = draft.entries[-1].body, {"count": len(draft.entries)}
    members |= {f"total_{part}": getattr(last, f"running_{part}") for part in ("weight", "score", "gain", "reward")}
    draft.header.update({name: members[name] + more})


def _sign_by_stranger(draft: Draft) -> None:
    draft.signer = STRANGER


def _alter_header(content: bytes) -> bytes:
    value: Any = canonical.decode(content)
    value["statement"]["totalReward"] = str(int(value["statement"]["totalReward"]) + 1)
    return canonical.encode(value)


def _overspend(draft: Draft) -> None:
    _reward({0: 2 * 10**18}, draft)


def _list_manifests() -> Iterator[Case]:
    outcome = name_round(LAST, evidence.OUTCOME)
    yield Case(
        "evidence-manifest",
        "file-changed",
        lambda _: edit(outcome, lambda text: text.replace(b"{", b"{ ", 1)),
        LEARNING,
    )
    yield Case("evidence-manifest", "file-not-listed", _list_less)
    yield Case("evidence-manifest", "another-file-listed", _list_other)
    yield Case("evidence-manifest", "trailing-byte", lambda _: edit(_MANIFEST, lambda text: text + b" "))
    yield Case("evidence-manifest", "another-evidence", partial(_head, {"evidence": OTHER}))
    yield Case("evidence-manifest", "file-kept-back", lambda _: drop(outcome), outcome=NOT_KNOWN)
    yield Case("evidence-manifest", "left-out", lambda _: drop(_MANIFEST), outcome=NOT_KNOWN)


_MANIFEST = name_round(LAST, evidence.MANIFEST)


def _list_less(draft: Draft) -> None:
    draft.listed[evidence.TREE] = None


def _list_other(draft: Draft) -> None:
    draft.listed[evidence.RECEIPTS] = b"[]"
