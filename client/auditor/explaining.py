"""Why a node was paid this in a round, told from signed data that was verified first, and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from client.auditor.evidence.sources import ChainFacts, PostedRound, Sources
from client.errors import UsageRefused
from client.money import show_amount
from client.output import format_time
from ledger import canonical, evidence
from ledger.entry import Carry, Entry, Standing
from ledger.errors import Malformed, VerificationError
from ledger.explanation import explain_entry
from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.screening import Reason
from ledger.statements import RoundHeader, Signed, Terms
from ledger.tally import compute_pot, compute_reward
from ledger.tree import PaddedTree, verify_proof
from ledger.verdicts import read_reason
from ledger.verify.chain import compute_anchor


class NoSuchEntry(UsageRefused):
    """The node has no entry in that round, or nobody hands it out."""

    def __init__(self, node: bytes, number: int) -> None:
        self.node, self.number = node, number
        super().__init__(
            f"no entry of {to_address(node)} in round {number} was handed out: check the address and the round's number"
        )


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry under a header that the coordinator signed; `posted` is None while the header is not on chain."""

    entry: Entry
    header: RoundHeader
    posted: PostedRound | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """An entry, the node's entry before, and what the numbers mean, line by line."""

    job: bytes
    node: bytes
    proven: ProvenEntry
    reason: Reason | None
    lines: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """What `--json` prints."""
        return {
            "job": to_hex(self.job),
            "round": self.proven.header.round,
            "node": to_address(self.node),
            "entry": self.proven.entry.to_json(),
            "header": self.proven.header.to_json(),
            "reason": None if self.reason is None else self.reason.to_json(),
            "finalAt": None if self.proven.posted is None else self.proven.posted.anchored.final_at,
            "block": None if self.proven.posted is None else self.proven.posted.block,
            "lines": list(self.lines),
        }


def explain(job: bytes, number: int, node: bytes, sources: Sources) -> Explanation:
    """Explains an entry in five steps.

    1. Terms from the chain; 2. the entry, proven under the round's signed and anchored header; 3. the node's entry
    before, proven likewise; 4. why the verdict is what it is, from the file that the header signs; 5. the sentences.

    Raises:
        VerificationError: what is handed out contradicts its signature, its proof, the chain or the entry before.
        NoSuchEntry: there is no such entry.
        Malformed: what is handed out is no entry.
    """
    # 1.
    facts = sources.chain.read_job(job)
    terms = facts.terms
    if terms is None or terms.job_id() != job:
        raise UsageRefused(f"the ledger has no job {to_hex(job)} up to block {facts.block}")
    # 2.
    proven = prove_entry(job, number, node, sources, facts, terms)
    # 3.
    before, previous = Standing(), proven.entry.body.previous_round
    if previous:
        if previous >= number:
            raise VerificationError("carry", "previousRound must be an earlier round", f"< {number}", previous)
        before = prove_entry(job, previous, node, sources, facts, terms).entry.standing(previous)
    check_carry(proven.entry, before)
    # 4.
    reason = find_reason(job, proven, sources)
    # 5.
    return Explanation(job, node, proven, reason, tuple(compose_lines(proven, terms, facts, reason)))


def prove_entry(job: bytes, number: int, node: bytes, sources: Sources, facts: ChainFacts, terms: Terms) -> ProvenEntry:
    """A node's entry with everything it hangs on verified. Raises what `explain` raises."""
    content = sources.evidence.fetch_entry(job, number, node)
    if content is None:
        entry, proof, signed = _find(sources.evidence.fetch_round(job, number), number, node)
    else:
        entry, proof, signed = _read(content)
    signed.verify(facts.domain, terms.coordinator)
    header = signed.statement
    for name, expected, got in (("job", job, header.job), ("round", number, header.round), ("node", node, entry.node)):
        if expected != got:
            raise VerificationError("entry-contribution", f"the reply is about another {name}", expected, got)
    verify_proof(header.entries_root, entry.leaf_hash(), proof, header.count)
    if number > len(facts.rounds):
        return ProvenEntry(entry, header, None)
    posted = facts.rounds[number - 1]
    word = compute_anchor(header.digest(facts.domain), header.entries_root, header.count, posted.anchored.final_at)
    if word != posted.anchored.word:
        raise VerificationError("anchor", "the chain holds another header", posted.anchored.word, word)
    return ProvenEntry(entry, header, posted)


def find_reason(job: bytes, proven: ProvenEntry, sources: Sources) -> Reason | None:
    """Why an entry has its verdict; None where the files that say so are not handed out. Raises what `explain` does."""
    fetch, number = sources.evidence.fetch_file, proven.header.round
    manifest, screening = (fetch(job, number, name) for name in (evidence.MANIFEST, evidence.SCREENING))
    if manifest is None or screening is None:
        return None
    return read_reason(proven.header, manifest, screening, proven.entry)


def check_carry(entry: Entry, before: Standing) -> None:
    """Raises VerificationError unless the entry follows from the node's standing before."""
    for name, want, have in zip(Carry._fields, entry.compute_carry(before), entry.carry(), strict=True):
        if want != have:
            raise VerificationError("carry", f"{name} does not follow from round {before.round}", want, have)


def compose_lines(proven: ProvenEntry, terms: Terms, facts: ChainFacts, reason: Reason | None) -> list[str]:
    """The explanation, from what happened to the update to what can be claimed and when."""
    entry, header, body = proven.entry, proven.header, proven.entry.body
    pot = compute_pot(terms.budget_per_round, terms.price_per_nat, header.total_score, header.total_gain)
    expected = compute_reward(pot, body.gain, header.total_gain)
    if body.reward != expected:
        raise VerificationError("reward-formula", "the reward does not follow", expected, body.reward)
    lines = explain_entry(entry, header, terms, reason, partial(show_amount, facts.token))
    return [*lines, _tell_finality(proven, facts)]


def _tell_finality(proven: ProvenEntry, facts: ChainFacts) -> str:
    """Where the entry stands on chain, and what can be drawn with it: what it had earned less what was drawn."""
    if facts.gap:
        return f"whether it is on chain is not known: {facts.gap}"
    if proven.posted is None:
        return f"not on chain yet, as of block {facts.block}: not claimable"
    anchored = proven.posted.anchored
    if anchored.struck:
        return f"the round was struck, as of block {facts.block}: nothing of it can be claimed"
    drawn = facts.claimed.get(proven.entry.node, 0)
    left = show_amount(facts.token, max(0, proven.entry.earned - drawn))
    place = f"on chain in block {proven.posted.block}{', by the bundle' if facts.claims is None else ''}"
    return (
        f"{place}; claimable from {format_time(anchored.final_at)}: {left}, for {show_amount(facts.token, drawn)} "
        f"was drawn as of block {facts.block}"
    )


def _find(files: Mapping[str, bytes], number: int, node: bytes) -> tuple[Entry, list[bytes], Signed[RoundHeader]]:
    """The entry out of the round's evidence, with the proof that follows from all entries."""
    if evidence.ENTRIES not in files or evidence.HEADER not in files:
        raise NoSuchEntry(node, number)
    entries = evidence.decode_entries(files[evidence.ENTRIES])
    entry = next((entry for entry in entries if entry.node == node), None)
    if entry is None:
        raise NoSuchEntry(node, number)
    proof = PaddedTree([entry.leaf() for entry in entries]).proof(entry.seq)
    return entry, proof, Signed.from_json(RoundHeader, canonical.decode(files[evidence.HEADER]))


def _read(content: bytes) -> tuple[Entry, list[bytes], Signed[RoundHeader]]:
    try:
        reply = json.loads(content)
        entry, proof, header = reply["entry"], reply["proof"], reply["header"]
        elements = [parse_hex(element, 32, "proof") for element in proof]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed("entry with proof", f"an object with entry, proof and header ({error})") from None
    decoded = canonical.decode(canonical.encode(entry))
    return Entry.from_json(decoded), elements, Signed.from_json(RoundHeader, header)
