"""Whether what was audited is what the auditor trusts, and whether what is said of the chain is proven."""

from __future__ import annotations

from client.auditor.checks import TRUST_CHECKS
from client.auditor.evidence.sources import ChainFacts, Sources
from ledger.statements import Terms
from ledger.verify.results import Findings, Result


def audit_trust(facts: ChainFacts, sources: Sources, terms: Terms | None) -> list[Result]:
    """Answers for every check of trust, and for what reading the chain objected to."""
    findings = Findings(None)
    for objection in facts.objections:
        findings.fail(objection.check, objection.detail, None, objection.expected, objection.got)
    if facts.gap:
        findings.leave(TRUST_CHECKS, facts.gap)
    findings.note("chain-proof", 1, facts.proven)
    if sources.code_hash is not None and not facts.gap:
        findings.expect("trust", sources.code_hash, facts.code_hash, "the ledger has other code than you pinned")
    if terms is None:
        findings.leave("trust", "the terms could not be read")
    elif sources.coordinator is not None:
        findings.expect("trust", sources.coordinator, terms.coordinator, "another coordinator than you pinned")
    findings.note("trust", 1, "" if sources.coordinator else "no coordinator is pinned")
    return findings.answer(TRUST_CHECKS)
