"""A good bundle taken apart, to be bent and put together again by someone who holds every key.

The coordinator of a false bundle is a liar with its own key, not a clumsy copyist: after each lie `seal` makes anew
what hangs on it (receipts, closing, entries, tree, manifest, header, anchor, proof), so that only the lie is left to
find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from client.auditor.evidence.bundle import TERMS, name_round
from ledger import canonical, evidence
from ledger.commitment import Opening, compute_beacon, extend_accumulator, start_accumulator
from ledger.entry import Body, Entry, Standing, Verdict
from ledger.evidence import Manifest, OpenedClosing, ReportedContribution
from ledger.hashing import sha256
from ledger.signatures import Signer
from ledger.statements import Contribution, Receipt, RoundHeader, Signed, Terms
from ledger.tally import Judgement, compute_signatures_digest, compute_tally
from ledger.tree import PaddedTree
from ledger.verify.chain import compute_anchor
from tests.conformance.chain import ChainDraft
from tests.simulated.terms import Setting

LAST = 2
"""The round that is bent: what comes before it stays as it was played."""

Files = dict[str, bytes]


@dataclass
class Draft:
    """The parts of the last round, the chain, and all other files as they are.

    Attributes:
        setting, nodes: every key.
        files: of the whole bundle; those of the last round and the chain are written by `seal`.
        header: members of the header that say something else than what the parts add up to.
        listed: files that the manifest lists otherwise than they are, None where it leaves them out.
        posted: whether the chain holds the header that is sealed; else the one that was played.
    """

    setting: Setting
    nodes: list[Signer]
    files: Files
    chain: ChainDraft
    contributions: list[ReportedContribution]
    receipts: list[Signed[Receipt]]
    closing: OpenedClosing
    openings: list[Opening | None]
    entries: list[Entry]
    head: RoundHeader
    arrays: Files
    standings: dict[bytes, Standing]
    header: dict[str, Any] = field(default_factory=dict)
    listed: dict[str, bytes | None] = field(default_factory=dict)
    tree: bytes | None = None
    posted: bool = True
    signer: Signer | None = None

    @property
    def terms(self) -> Terms:
        return Terms.from_json(canonical.decode(self.files[TERMS]))

    @property
    def coordinator(self) -> Signer:
        return self.setting.coordinator

    def sign(self, seq: int, signer: Signer | None = None, **changes: Any) -> None:
        """Signs a contribution anew with other members; nothing that hangs on it follows yet."""
        item = self.contributions[seq]
        statement = replace(item.signed.statement, **changes)
        signer = signer or next(node for node in self.nodes if node.address == statement.node)
        self.contributions[seq] = ReportedContribution(
            Signed.issue(statement, self.setting.domain, signer), item.report
        )

    def receive(self, changes: Mapping[int, Mapping[str, Any]] | None = None, signer: Signer | None = None) -> None:
        """Receipts for the contributions as they are; `changes` by seq, and `signer` signs those instead."""
        accumulator, before = start_accumulator(self.head.job, LAST, self.head.parent), self.receipts
        self.receipts = []
        for seq, item in enumerate(self.contributions):
            one: Contribution = item.signed.statement
            digest = one.digest(self.setting.domain)
            accumulator = extend_accumulator(accumulator, digest)
            old = before[min(seq, len(before) - 1)].statement
            receipt = Receipt(self.head.job, LAST, seq, one.node, digest, accumulator, old.received_at, old.anchor_by)
            bent = (changes or {}).get(seq)
            key = signer if bent is not None and signer else self.coordinator
            self.receipts.append(Signed.issue(replace(receipt, **(bent or {})), self.setting.domain, key))

    def close(self, signer: Signer | None = None, **changes: Any) -> None:
        """A closing over the receipts as they are."""
        last = self.receipts[-1].statement
        members = {"count": len(self.receipts), "accumulator": last.accumulator, **changes}
        statement = replace(self.closing.signed.statement, **members)
        signed = Signed.issue(statement, self.setting.domain, signer or self.coordinator)
        self.closing = replace(self.closing, signed=signed)

    def account(self, scores: Mapping[int, int] | None = None, verdicts: Mapping[int, Verdict] | None = None) -> None:
        """Entries for the receipts as they are, with the verdicts and scores they had, or others by seq."""
        judgements = []
        for seq, (item, receipt, entry) in enumerate(zip(self.contributions, self.receipts, self.entries, strict=True)):
            verdict = (verdicts or {}).get(seq, Verdict(entry.body.verdict))
            accepted = verdict is Verdict.ACCEPTED
            judgements.append(
                Judgement(
                    item.signed.statement.node,
                    item.signed.statement.digest(self.setting.domain),
                    compute_signatures_digest(item.signed.signature, receipt.signature),
                    verdict,
                    1 if accepted else 0,
                    (scores or {}).get(seq, entry.body.score) if accepted else 0,
                )
            )
        terms = self.terms
        tally = compute_tally(terms.budget_per_round, terms.price_per_nat, judgements, self.standings, LAST)
        self.entries = list(tally.entries)

    def resign(self) -> None:
        """Everything after the contributions, anew."""
        self.receive()
        self.close()
        self.account()

    def bend(self, seq: int, *, earned: int = 0, node: bytes | None = None, **body: Any) -> None:
        """Changes an entry; `earned` is added. Sums of others are left as they are: see `resum`."""
        entry = self.entries[seq]
        changed = _change(entry.body, body)
        self.entries[seq] = Entry(entry.seq, node or entry.node, entry.earned + earned, changed)

    def resum(self) -> None:
        """Running totals over the entries as they are."""
        sums = {"weight": 0, "score": 0, "gain": 0, "reward": 0}
        for at, entry in enumerate(self.entries):
            sums = {name: value + getattr(entry.body, name) for name, value in sums.items()}
            running = {f"running_{name}": value for name, value in sums.items()}
            self.entries[at] = replace(entry, body=_change(entry.body, running))

    def build_tree(self) -> PaddedTree:
        return PaddedTree([entry.leaf() for entry in self.entries])

    def seal(self) -> tuple[Files, bytes]:
        """The bundle's files and the hash of its block."""
        parts = self._write_parts()
        header = replace(self.head, **(self._add_up(parts) | self.header))
        signed = Signed.issue(header, self.setting.domain, self.signer or self.coordinator)
        parts[evidence.HEADER] = canonical.encode(signed.to_json())
        if self.posted:
            self._post(header)
        chained, block_hash = self.chain.prove()
        rest = {name: content for name, content in self.files.items() if not name.startswith(name_round(LAST, ""))}
        return rest | {name_round(LAST, name): content for name, content in parts.items()} | chained, block_hash

    def _write_parts(self) -> Files:
        dump = canonical.encode(self.build_tree().dump()) if self.tree is None else self.tree
        parts = {
            evidence.CONTRIBUTIONS: evidence.encode_contributions(self.contributions),
            evidence.RECEIPTS: evidence.encode_receipts(self.receipts),
            evidence.CLOSING: evidence.encode_closing(self.closing),
            evidence.OPENINGS: evidence.encode_openings(self.openings),
            evidence.ENTRIES: evidence.encode_entries(self.entries),
            evidence.TREE: dump,
            **self.arrays,
        }
        listed = {name: self.listed.get(name, content) for name, content in parts.items()}
        manifest = Manifest.of({name: content for name, content in listed.items() if content is not None})
        return {**parts, evidence.MANIFEST: manifest.to_bytes()}

    def _add_up(self, parts: Files) -> dict[str, Any]:
        last, closing = self.entries[-1].body, self.closing.signed.statement
        return {
            "entries_root": self.build_tree().root,
            "accumulator": closing.accumulator,
            "count": len(self.entries),
            "total_weight": last.running_weight,
            "total_score": last.running_score,
            "total_gain": last.running_gain,
            "total_reward": last.running_reward,
            "evidence": sha256(parts[evidence.MANIFEST]),
            "beacon": self._draw(closing.accumulator),
        }

    def _draw(self, accumulator: bytes) -> bytes:
        salts = [
            opening.salt
            for item, opening in zip(self.contributions, self.openings, strict=False)
            if opening is not None and opening.opens(item.signed.statement.commitment)
        ]
        return compute_beacon(accumulator, self.closing.seed, salts)

    def _post(self, header: RoundHeader) -> None:
        """The chain keeps the header that was sealed, false or not: it cannot know."""
        digest = header.digest(self.setting.domain)
        word = compute_anchor(digest, header.entries_root, header.count, self.chain.final_at[LAST - 1])
        members = self.chain.rounds[LAST - 1]
        members["anchor"] = int.from_bytes(word, "big")
        members["rewards"] = self.chain.rounds[LAST - 2]["rewards"] + header.total_reward
        self.chain.state["lastHeader"] = int.from_bytes(digest, "big")


def _change(body: Body, members: Mapping[str, Any]) -> Body:
    return replace(body, **members)


def read_last(files: Files, setting: Setting, nodes: Sequence[Signer], chain: ChainDraft) -> Draft:
    """Takes the files of a good bundle apart."""
    here, before = name_round(LAST, ""), name_round(LAST - 1, evidence.ENTRIES)
    part = {name.removeprefix(here): content for name, content in files.items() if name.startswith(here)}
    earlier = evidence.decode_entries(files[before])
    return Draft(
        setting=setting,
        nodes=list(nodes),
        files=dict(files),
        chain=chain,
        contributions=evidence.decode_contributions(part[evidence.CONTRIBUTIONS]),
        receipts=evidence.decode_receipts(part[evidence.RECEIPTS]),
        closing=evidence.decode_closing(part[evidence.CLOSING]),
        openings=evidence.decode_openings(part[evidence.OPENINGS]),
        entries=evidence.decode_entries(part[evidence.ENTRIES]),
        head=Signed.from_json(RoundHeader, canonical.decode(part[evidence.HEADER])).statement,
        arrays={
            name: part[name]
            for name in (evidence.OUTCOME, evidence.SCREENING, evidence.DRAW, *evidence.ARRAYS)
            if name in part
        },
        standings={entry.node: entry.standing(LAST - 1) for entry in earlier},
    )
