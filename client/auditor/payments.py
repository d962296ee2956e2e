"""Claims and escrow: what the chain paid against what final entries earned, and where the rest is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from client.auditor.checks import PAYMENT_CHECKS
from client.auditor.evidence.sources import ChainFacts, PaidClaim
from ledger.statements import Terms
from ledger.verify.results import Findings, Result

Earned = Mapping[tuple[bytes, int], int]
"""What each node had earned after each round in which it has an entry, by (node, round)."""


def audit_payments(facts: ChainFacts, terms: Terms, earned: Earned, last: int) -> list[Result]:
    """Checks every claim from rounds up to `last`, whose entries are in `earned`, and the escrow."""
    findings = Findings(None)
    if facts.gap:
        findings.leave(PAYMENT_CHECKS, facts.gap)
        return findings.answer(PAYMENT_CHECKS)
    if facts.claims is None:
        _audit_drawn(facts, earned, findings)
    else:
        _audit_claims(facts, facts.claims, earned, last, findings)
    _audit_escrow(facts, terms, findings)
    return findings.answer(PAYMENT_CHECKS)


def _audit_claims(
    facts: ChainFacts, claims: Sequence[PaidClaim], earned: Earned, last: int, findings: Findings
) -> None:
    drawn: dict[bytes, int] = {}
    for claim in claims:
        if claim.round <= last:
            _audit_claim(facts, claim, drawn.get(claim.node, 0), earned, findings)
        drawn[claim.node] = drawn.get(claim.node, 0) + claim.amount
    findings.expect("claims", dict(facts.claimed), drawn, "the ledger keeps other sums than its events add up to")
    findings.note("claims", len(claims), f"{len(claims)} claims, {sum(drawn.values())} base units")


def _audit_drawn(facts: ChainFacts, earned: Earned, findings: Findings) -> None:
    """Without events: what each node has drawn is what one of its final entries had earned, and nobody else drew."""
    final = {
        number
        for number, posted in enumerate(facts.rounds, start=1)
        if not posted.anchored.struck and facts.at is not None and posted.anchored.final_at <= facts.at
    }
    entitled: dict[bytes, set[int]] = {node: set() for node in facts.claimed}
    for (node, number), amount in earned.items():
        if number in final and node in entitled:
            entitled[node].add(amount)
    for node, drawn in facts.claimed.items():
        if drawn in entitled[node]:
            continue
        unread = final - {number for _, number in earned}
        if unread:
            findings.leave("claims", f"0x{node.hex()} may have drawn by an entry of round {min(unread)}, not read")
            continue
        detail = f"0x{node.hex()} has drawn what none of its final entries had earned"
        findings.fail("claims", detail, None, f"one of {sorted(entitled[node])}", str(drawn))
    total = sum(facts.claimed.values())
    if facts.account is not None:
        findings.expect("claims", facts.account.paid, total, "somebody has drawn who is not listed")
    findings.note("claims", len(facts.claimed), f"{len(facts.claimed)} nodes have drawn {total} base units")


def _audit_claim(facts: ChainFacts, claim: PaidClaim, before: int, earned: Earned, findings: Findings) -> None:
    where = f"claim of 0x{claim.node.hex()} in block {claim.block}"
    entitled = earned.get((claim.node, claim.round))
    if entitled is None:
        findings.leave("claims", f"{where}: no entry of that node in round {claim.round} was read")
        return
    findings.expect("claims", entitled, claim.earned, f"{where}: the entry of round {claim.round} earned another sum")
    findings.expect("claims", entitled - before, claim.amount, f"{where}: another amount than what was left")
    anchored = facts.rounds[claim.round - 1].anchored
    if anchored.struck or claim.at < anchored.final_at:
        detail = f"{where}: round {claim.round} was not final"
        findings.fail("claims", detail, None, f"at {anchored.final_at} or later", f"at {claim.at}")


def _audit_escrow(facts: ChainFacts, terms: Terms, findings: Findings) -> None:
    check, job, account = "escrow", facts.kept, facts.account
    if job is None or account is None:
        findings.fail(check, "the job was never opened on this ledger")
        return
    if facts.terms is not None:
        findings.expect(check, terms, facts.terms, "the job was opened with other terms")
    kept = (job.requester, job.coordinator, job.token, job.rounds, job.budget_per_round, job.window)
    agreed = (terms.requester, terms.coordinator, terms.token, terms.rounds, terms.budget_per_round, terms.window)
    findings.expect(check, agreed, kept, "the ledger keeps other terms")
    findings.expect(check, terms.rounds * terms.budget_per_round, account.funded, "the escrow is not rounds · budget")
    parts = account.paid + account.payable + account.free + account.refunded + account.burned
    findings.expect(check, account.funded, parts, "paid, payable, free, refunded and burned do not add up")
    if facts.claims is not None:
        claimed = sum(claim.amount for claim in facts.claims)
        findings.expect(check, claimed, account.paid, "claims do not add up to paid")
    headers = [posted.header for posted in facts.rounds]
    last = headers[-1] if headers else None
    if last is not None or not headers:
        digest = last.digest(facts.domain) if last else terms.job_id()
        findings.expect(check, digest, job.last_header, "the ledger's last header is not that of the last round")
    if None in headers:
        findings.leave(check, "a header could not be read")
    else:
        _audit_rewards(facts, account.paid + account.payable, findings)
    findings.note(check, 1, f"paid {account.paid}, payable {account.payable}, free {account.free}")


def _audit_rewards(facts: ChainFacts, owed: int, findings: Findings) -> None:
    total, standing = 0, 0
    for number, (posted, kept) in enumerate(zip(facts.rounds, facts.rewards, strict=True), start=1):
        total += posted.header.total_reward if posted.header else 0
        findings.expect("escrow", total, kept, f"the ledger's sum of rewards up to round {number}")
        standing = standing if posted.anchored.struck else total
    findings.expect("escrow", standing, owed, "paid and payable are not the rewards of the standing rounds")
