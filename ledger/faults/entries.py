"""Wrong entries: invented, altered or doubled ones, and sums, rewards and verdicts that do not fit."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from ledger.entry import Body, Verdict
from ledger.errors import MalformedSignature
from ledger.faults.case import Case, KnownRound
from ledger.faults.faults import (
    ContributionAltered,
    CountedTwice,
    FirstTotalsWrong,
    ProvenEntry,
    RewardWrong,
    SignaturesFalse,
    TotalsWrong,
    VerdictUnfit,
)
from ledger.signatures import SIGNATURE_BYTES, recover
from ledger.statements import RoundHeader
from ledger.tally import compute_pot, compute_reward

_VERDICTS = frozenset(map(int, Verdict))


def find_altered(known: KnownRound) -> Iterator[ContributionAltered]:
    """Entries whose contribution names another job, round, node, parent or base model."""
    head = known.header
    for proven in known.entries:
        made = known.contributions.get(proven.entry.body.contribution)
        expected = (head.job, head.round, proven.entry.node, head.parent, head.base_model)
        if made is not None and (made.job, made.round, made.node, made.parent, made.base_model) != expected:
            yield ContributionAltered(known.number, proven, made, head)


def find_signatures_false(known: KnownRound) -> Iterator[SignaturesFalse]:
    """Entries whose node did not make the signature that they name as its own."""
    for proven in known.entries:
        pair = known.signatures.get(proven.entry.body.signatures)
        if pair is None:
            continue
        whole = len(pair[0]) == len(pair[1]) == SIGNATURE_BYTES
        if not whole or _recover(proven.entry.body.contribution, pair[0]) != proven.entry.node:
            yield SignaturesFalse(known.number, proven, b"".join(pair))


def find_counted_twice(known: KnownRound) -> Iterator[CountedTwice]:
    """Pairs of entries with one seq, node or contribution."""
    seen: dict[Hashable, ProvenEntry] = {}
    for proven in known.entries:
        entry = proven.entry
        for key in (("seq", entry.seq), ("node", entry.node), ("contribution", entry.body.contribution)):
            one = seen.setdefault(key, proven)
            if one.entry != entry:
                yield CountedTwice(known.number, one, proven)
                break


def find_first_totals_wrong(known: KnownRound) -> Iterator[FirstTotalsWrong]:
    """The entry with seq 0, where its running totals are not its own values."""
    first = known.by_seq.get(0)
    if first is not None and _read_running(first.entry.body) != _read_own(first.entry.body):
        yield FirstTotalsWrong(known.number, first)


def find_totals_wrong(known: KnownRound) -> Iterator[TotalsWrong]:
    """Entries whose running totals do not follow from the entry before, or that are void where that is not."""
    for proven in known.entries:
        before = known.by_seq.get(proven.entry.seq - 1)
        if before is None:
            continue
        one, body = before.entry.body, proven.entry.body
        sums = tuple(past + own for past, own in zip(_read_running(one), _read_own(body), strict=True))
        mixed = (one.verdict == Verdict.VOID) != (body.verdict == Verdict.VOID)
        if mixed or _read_running(body) != sums:
            yield TotalsWrong(known.number, before, proven)


def find_rewards_wrong(case: Case, known: KnownRound) -> Iterator[RewardWrong]:
    """Entries whose reward is not the formula's, with the header's totals."""
    for proven in known.entries:
        if proven.entry.body.reward != compute_due(case, known.header, proven.entry.body.gain):
            yield RewardWrong(known.number, proven, known.header)


def find_verdicts_unfit(known: KnownRound) -> Iterator[VerdictUnfit]:
    """Entries without a verdict of the protocol, or with weight or score though not accepted."""
    for proven in known.entries:
        body = proven.entry.body
        refused = body.verdict != Verdict.ACCEPTED and (body.weight, body.score) != (0, 0)
        if body.verdict not in _VERDICTS or refused:
            yield VerdictUnfit(known.number, proven)


def compute_due(case: Case, header: RoundHeader, gain: int) -> int:
    """What the terms pay for a gain in a round with this header, in base units."""
    terms = case.terms
    pot = compute_pot(terms.budget_per_round, terms.price_per_nat, header.total_score, header.total_gain)
    return compute_reward(pot, gain, header.total_gain)


def _recover(digest: bytes, signature: bytes) -> bytes | None:
    try:
        return recover(digest, signature)
    except MalformedSignature:
        return None


def _read_own(body: Body) -> tuple[int, int, int, int]:
    return body.weight, body.score, body.gain, body.reward


def _read_running(body: Body) -> tuple[int, int, int, int]:
    return body.running_weight, body.running_score, body.running_gain, body.running_reward
