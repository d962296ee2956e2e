"""Why a node was paid this: sentences made of the signed entry and header, and of `screening.json` that it signs."""

from __future__ import annotations

from sqlmodel import Session

from coordinator.blobs import BlobStore
from coordinator.jobs.agreement import load_agreement
from coordinator.jobs.service import load_job
from coordinator.rounds import store
from coordinator.rounds.views import show_entry
from ledger import evidence, wire
from ledger.entry import Body, Entry, Verdict
from ledger.screening import Reason
from ledger.statements import RoundHeader, Terms
from ledger.tally import compute_pot
from ledger.verdicts import MEANINGS, describe_reason, read_reason

_NAT = 2**40


def explain(session: Session, blobs: BlobStore, job: bytes, number: int, node: bytes) -> wire.Explanation:
    """Explain an entry. Raises UnknownJob, UnknownRound, NotSealedYet, UnknownEntry."""
    terms = load_agreement(load_job(session, job)).terms
    view = show_entry(session, job, number, node)
    entry, header = Entry.from_json(view.entry), view.header.statement
    files = store.list_evidence(session, job, number)
    manifest, screening = (blobs.load(files[name].sha256) for name in (evidence.MANIFEST, evidence.SCREENING))
    lines = build_lines(entry, header, terms, read_reason(header, manifest, screening, entry))
    return wire.Explanation(job=job, round=number, node=node, lines=lines, entry=view)


def build_lines(entry: Entry, header: RoundHeader, terms: Terms, reason: Reason) -> list[str]:
    """The explanation, line by line."""
    body = entry.body
    pot = compute_pot(terms.budget_per_round, terms.price_per_nat, header.total_score)
    place = f"contribution {entry.seq + 1} of {header.count} in round {header.round}"
    score = f"score {_nats(body.score)} of {_nats(header.total_score)} in all"
    price = f"the smaller of the budget {terms.budget_per_round} and {terms.price_per_nat} for each nat of fall"
    return [
        f"{place}: {MEANINGS[Verdict(body.verdict)]}.",
        f"verdict {body.verdict}, by the rule {reason.rule.value}: {describe_reason(reason)}.",
        f"weight {body.weight} of {header.total_weight}; {score}: this update's share of the fall in validation loss.",
        _explain_credit(body),
        f"pot of the round: {pot} base units, {price}.",
        _explain_reward(body, header, pot),
        f"earned in this job up to this round: {entry.earned} base units.",
    ]


def _explain_credit(body: Body) -> str:
    carried = "none" if body.previous_round == 0 else f"round {body.previous_round}"
    change = f"{'+' if body.score >= 0 else '-'} {_nats(abs(body.score))}"
    sums = f"credit {_nats(body.credit - body.score)} (from {carried}) {change} = {_nats(body.credit)}"
    return f"{sums}; highest {_nats(body.peak)}, before {_nats(body.peak - body.gain)}: gain {_nats(body.gain)}."


def _explain_reward(body: Body, header: RoundHeader, pot: int) -> str:
    if header.total_gain == 0:
        return "nobody reached a new peak of credit, so nobody is paid in this round."
    if body.gain == 0:
        return "no new peak of credit, so nothing is paid: debts are paid back before anything is earned."
    return f"reward: floor({pot} · {body.gain} / {header.total_gain}) = {body.reward} base units."


def _nats(score: int) -> str:
    return f"{score / _NAT:.6f} nats"
