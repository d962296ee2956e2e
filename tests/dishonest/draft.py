"""What a coordinator is about to publish of a round; lies bend it, `publish` signs and seals whatever it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ledger import canonical, evidence
from ledger.canonical import JsonValue
from ledger.commitment import extend_accumulator, start_accumulator
from ledger.eip712 import Domain
from ledger.entry import Entry
from ledger.evidence import Manifest, OpenedClosing, ReportedContribution
from ledger.faults.case import Promises
from ledger.hashing import keccak256
from ledger.hexadecimal import to_hex
from ledger.signatures import Signer
from ledger.statements import Closing, Receipt, RoundHeader, Signed, Terms
from ledger.tally import compute_pot, compute_reward
from ledger.tree import FORMAT, LEAF_ENCODING, Leaf, PaddedTree


@dataclass
class Draft:
    """A round as its coordinator holds it before the header is signed.

    Attributes:
        earlier: the entries of each round before, by node.
        leaves: all 2^d leaves, where the tree is not that of the entries.
        shown: the header that is handed out, where it is not the posted one.
        kept_back: names of files that are not handed out.
        told: what somebody was promised beside what is published.
    """

    domain: Domain
    coordinator: Signer
    terms: Terms
    header: RoundHeader
    entries: list[Entry]
    contributions: list[ReportedContribution]
    receipts: list[Signed[Receipt]]
    closing: OpenedClosing
    earlier: Mapping[int, Mapping[bytes, Entry]]
    files: Mapping[str, bytes] = field(repr=False)
    leaves: list[Leaf] | None = None
    shown: RoundHeader | None = None
    kept_back: frozenset[str] = frozenset()
    told: Promises = field(default_factory=Promises)

    def sign_receipt(self, receipt: Receipt) -> Signed[Receipt]:
        return Signed.issue(receipt, self.domain, self.coordinator)

    def sign_closing(self, closing: Closing) -> Signed[Closing]:
        return Signed.issue(closing, self.domain, self.coordinator)

    def change_entry(self, seq: int, **changes: Any) -> None:
        """Changes members of an entry or of its body; nothing that follows from them."""
        entry = self.entries[seq]
        own = {name: changes.pop(name) for name in ("node", "earned") if name in changes}
        self.entries[seq] = replace(entry, **own, body=replace(entry.body, **changes))

    def renumber(self, place: int) -> None:
        """Gives an entry the seq of its place."""
        self.entries[place] = replace(self.entries[place], seq=place)

    def find_before(self, entry: Entry) -> Entry | None:
        """The node's entry that this one stands on."""
        return self.earlier.get(entry.body.previous_round, {}).get(entry.node)

    def add_up(self) -> None:
        """Makes running totals and the header's totals those of the entries as they are."""
        weight = score = gain = reward = 0
        for seq, entry in enumerate(self.entries):
            body = entry.body
            weight, score = weight + body.weight, score + body.score
            gain, reward = gain + body.gain, reward + body.reward
            running = {"weight": weight, "score": score, "gain": gain, "reward": reward}
            self.change_entry(seq, **{f"running_{name}": value for name, value in running.items()})
        self.read_totals()

    def read_totals(self) -> None:
        """Makes the header's count and totals those of the last entry: the chain takes no other header."""
        body = self.entries[-1].body
        self.header = replace(
            self.header,
            count=len(self.entries),
            total_weight=body.running_weight,
            total_score=body.running_score,
            total_gain=body.running_gain,
            total_reward=body.running_reward,
        )

    def pay(self) -> None:
        """Pays by the formula again, after entries came or went."""
        self.add_up()
        pot = compute_pot(
            self.terms.budget_per_round, self.terms.price_per_nat, self.header.total_score, self.header.total_gain
        )
        for seq, entry in enumerate(self.entries):
            reward = compute_reward(pot, entry.body.gain, self.header.total_gain)
            self.change_entry(seq, reward=reward, earned=entry.earned - entry.body.reward + reward)
        self.add_up()

    def promise_again(self) -> None:
        """Signs receipts, closing and accumulators anew, as if the contributions were all that ever came."""
        accumulator = start_accumulator(self.header.job, self.header.round, self.header.parent)
        pattern, self.receipts = self.receipts[0].statement, []
        for seq, item in enumerate(self.contributions):
            made = item.signed.statement
            digest = made.digest(self.domain)
            accumulator = extend_accumulator(accumulator, digest)
            receipt = replace(pattern, seq=seq, node=made.node, contribution=digest, accumulator=accumulator)
            self.receipts.append(self.sign_receipt(receipt))
        self.header = replace(self.header, accumulator=accumulator)
        self.close_again()
        self.name_signatures()

    def close_again(self) -> None:
        """Signs a closing that says what the header says."""
        head = replace(self.header, count=len(self.entries))
        closing = replace(self.closing.signed.statement, count=head.count, accumulator=head.accumulator)
        self.closing = OpenedClosing(self.sign_closing(closing), self.closing.seed)

    def name_signatures(self) -> None:
        """Makes every entry name its contribution and the signatures that are published beside it."""
        for seq, (item, receipt) in enumerate(zip(self.contributions, self.receipts, strict=True)):
            signatures = keccak256(item.signed.signature + receipt.signature)
            self.change_entry(seq, contribution=item.signed.statement.digest(self.domain), signatures=signatures)

    @property
    def heap(self) -> list[bytes]:
        """The nodes of the tree, root first, as OpenZeppelin lays them out."""
        nodes = sorted((leaf.hash() for leaf in self._all_leaves()), reverse=True)
        level = nodes
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=True)
            level = [keccak256(min(pair) + max(pair)) for pair in pairs]
            nodes = level + nodes
        return nodes

    def prove(self, leaf: Leaf) -> list[bytes]:
        """The proof of any leaf of the tree."""
        nodes, proof = self.heap, []
        at = len(nodes) - 1 - nodes[::-1].index(leaf.hash())
        while at > 0:
            proof.append(nodes[at + 1 if at & 1 else at - 1])
            at = (at - 1) >> 1
        return proof

    def publish(self) -> tuple[RoundHeader, dict[str, bytes]]:
        """The header that is posted, and the files that are handed out."""
        changed = {
            evidence.CONTRIBUTIONS: evidence.encode_contributions(self.contributions),
            evidence.RECEIPTS: evidence.encode_receipts(self.receipts),
            evidence.CLOSING: evidence.encode_closing(self.closing),
            evidence.ENTRIES: evidence.encode_entries(self.entries),
            evidence.TREE: canonical.encode(self._dump()),
        }
        files = {name: body for name, body in {**self.files, **changed}.items() if name not in evidence.OUTSIDE}
        manifest = Manifest.of(files)
        self.header = replace(self.header, entries_root=self.heap[0], evidence=manifest.digest())
        shown = Signed.issue(self.shown or self.header, self.domain, self.coordinator)
        files |= {evidence.MANIFEST: manifest.to_bytes(), evidence.HEADER: canonical.encode(shown.to_json())}
        return self.header, {name: body for name, body in files.items() if name not in self.kept_back}

    def _all_leaves(self) -> list[Leaf]:
        if self.leaves is not None:
            return self.leaves
        return pad([entry.leaf() for entry in self.entries])

    def _dump(self) -> dict[str, JsonValue]:
        if self.leaves is None:
            return PaddedTree([entry.leaf() for entry in self.entries]).dump()
        nodes = self.heap
        values: list[JsonValue] = []
        for leaf in self.leaves:
            fields = leaf.to_json()
            value: JsonValue = [str(fields["seq"]), fields["node"], fields["earned"], fields["body"]]
            values.append({"value": value, "treeIndex": len(nodes) - 1 - nodes[::-1].index(leaf.hash())})
        tree: list[JsonValue] = [to_hex(node) for node in nodes]
        return {"format": FORMAT, "leafEncoding": list(LEAF_ENCODING), "tree": tree, "values": values}


def pad(leaves: list[Leaf]) -> list[Leaf]:
    """The leaves with the padding of an honest tree."""
    size = 1 << (len(leaves) - 1).bit_length()
    return leaves + [Leaf(seq, bytes(20), 0, bytes(32)) for seq in range(len(leaves), size)]
