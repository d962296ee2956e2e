"""Lies about the job's files, contributions, receipts, closing, openings and the beacon."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from client.auditor.evidence.bundle import ACCEPTANCE, SPEC, TERMS, name_round
from ledger import canonical, evidence
from ledger.commitment import Opening
from ledger.entry import Verdict
from ledger.evidence import ReportedContribution
from ledger.hashing import keccak256, sha256
from ledger.hexadecimal import to_hex
from ledger.signatures import Signer
from ledger.statements import Acceptance, Signed, Voucher
from tests.conformance.case import ANY, LEARNING, Case, drop, edit
from tests.conformance.case import UNKNOWN as NOT_KNOWN
from tests.conformance.draft import LAST, Draft
from tests.conformance.good import with_terms

STRANGER = Signer(keccak256(b"a stranger's key"))
OTHER = keccak256(b"something else")


def list_statements() -> Iterator[Case]:
    yield from _list_job()
    yield from _list_contributions()
    yield from _list_receipts()
    yield from _list_closing()
    yield from _list_openings()


def _list_job() -> Iterator[Case]:
    yield Case(
        "spec-digest", "title-rewritten", lambda _: edit(SPEC, lambda text: text.replace(b"simulated", b"imitated"))
    )
    yield Case("spec-digest", "trailing-byte", lambda _: edit(SPEC, lambda text: text + b"\n"))
    yield Case("spec-digest", "missing-byte", lambda _: edit(SPEC, lambda text: text[:-1]))
    yield Case("job-id", "budget-doubled", lambda _: lambda files: with_terms(files, budget_per_round=2 * 10**18))
    yield Case("job-id", "window-plus-one", lambda _: lambda files: with_terms(files, window=61))
    yield Case("job-id", "missing-byte", lambda _: edit(TERMS, lambda text: text[:-1]), others=ANY)
    yield Case("acceptance-signature", "another-key", partial(_accept, STRANGER, None))
    yield Case("acceptance-signature", "another-job", partial(_accept, None, OTHER))
    yield Case("acceptance-signature", "left-out", lambda _: drop(ACCEPTANCE), outcome=NOT_KNOWN)
    yield Case("spec-digest", "left-out", lambda _: drop(SPEC), outcome=NOT_KNOWN)


def _accept(signer: Signer | None, job: bytes | None, draft: Draft) -> Any:
    statement = Acceptance(job or draft.head.job, 1 << 40)
    signed = Signed.issue(statement, draft.setting.domain, signer or draft.coordinator)
    return edit(ACCEPTANCE, lambda _: canonical.encode(signed.to_json()))


def _list_contributions() -> Iterator[Case]:
    for what, changes in (
        ("another-job", {"job": OTHER}),
        ("another-round", {"round": LAST + 1}),
        ("another-parent", {"parent": OTHER}),
        ("another-base-model", {"base_model": OTHER}),
    ):
        yield Case("contribution-fields", what, partial(_sign, 1, None, changes), LEARNING)
    yield Case("contribution-unique", "node-twice", _count_twice, others=ANY)
    yield Case("report-digest", "loss-rewritten", _rewrite_report)
    yield Case("contribution-signature", "invented", partial(_sign, 1, STRANGER, {"samples": 7}), LEARNING)
    yield Case("contribution-signature", "altered-after-signing", _alter_samples, LEARNING)
    for what, report in (
        ("older-than-the-job-takes", {"age": "1"}),
        ("another-model", {"age": "0", "trainedFrom": to_hex(OTHER)}),
    ):
        yield Case("age", what, partial(_report, report), LEARNING)
    yield Case("voucher", "uncalled-for", _vouch)
    yield Case("contribution-fields", "missing-byte", partial(_cut, evidence.CONTRIBUTIONS), others=ANY)
    yield Case("contribution-fields", "left-out", partial(_keep_back, evidence.CONTRIBUTIONS), outcome=NOT_KNOWN)


def _sign(seq: int, signer: Signer | None, changes: dict[str, Any], draft: Draft) -> None:
    draft.sign(seq, signer, **changes)
    draft.resign()


def _report(members: dict[str, str], draft: Draft) -> None:
    """The node says it, and signs what it says; the coordinator lets it in."""
    report = {**draft.contributions[1].report, **members}
    draft.sign(1, report=sha256(canonical.encode(report)))
    draft.contributions[1] = replace(draft.contributions[1], report=report)
    draft.resign()


def _alter_samples(draft: Draft) -> None:
    item = draft.contributions[0]
    statement = replace(item.signed.statement, samples=1_000_000)
    draft.contributions[0] = replace(item, signed=replace(item.signed, statement=statement))
    draft.resign()


def _vouch(draft: Draft) -> None:
    """A voucher beside a contribution of a job that weighs all alike: nobody signed that it belongs there."""
    item = draft.contributions[0]
    statement = item.signed.statement
    voucher = Voucher(statement.job, statement.round, statement.node, 5, statement.samples)
    draft.contributions[0] = replace(item, voucher=Signed.issue(voucher, draft.setting.domain, STRANGER))


def _count_twice(draft: Draft) -> None:
    """A node is let in again, with the update of another one: its second entry is a duplicate's."""
    first, other = draft.contributions[0], draft.contributions[1]
    draft.sign(0, commitment=other.signed.statement.commitment)
    again = draft.contributions[0]
    draft.contributions[0] = first
    # The unrevealed contribution makes room.
    draft.contributions[3], draft.openings[3] = again, draft.openings[1]
    draft.receive()
    draft.close()
    entries = draft.entries
    draft.entries = [
        replace(entries[seq], node=item.signed.statement.node) for seq, item in enumerate(draft.contributions)
    ]
    for seq, item in enumerate(draft.contributions):
        signatures = keccak256(item.signed.signature + draft.receipts[seq].signature)
        digest = item.signed.statement.digest(draft.setting.domain)
        draft.bend(seq, contribution=digest, signatures=signatures)
    standing = draft.standings[first.signed.statement.node]
    draft.bend(3, verdict=int(Verdict.DUPLICATE), credit=standing.credit, peak=standing.peak)
    draft.entries[3] = replace(draft.entries[3], earned=standing.earned)


def _rewrite_report(draft: Draft) -> None:
    item = draft.contributions[2]
    draft.contributions[2] = ReportedContribution(item.signed, {**item.report, "loss": "0.001"})


def _list_receipts() -> Iterator[Case]:
    for what, changes in (
        ("another-job", {"job": OTHER}),
        ("another-round", {"round": LAST + 1}),
        ("seq-plus-one", {"seq": 3}),
        ("another-node", {"node": STRANGER.address}),
    ):
        yield Case("receipt-sequence", what, partial(_receive, {2: changes}, None))
    yield Case("receipt-sequence", "removed", _remove_receipt, others=ANY)
    yield Case("receipt-sequence", "repeated", _repeat_receipt, others=ANY)
    yield Case("receipt-sequence", "hidden", partial(_keep_back, evidence.RECEIPTS), outcome=NOT_KNOWN)
    yield Case("receipt-accumulator", "another-history", partial(_receive, {2: {"accumulator": OTHER}}, None))
    yield Case("receipt-signature", "another-key", partial(_receive, {1: {}}, STRANGER))
    yield Case("receipt-signature", "one-bit", _flip_signature, others=ANY)
    late = {"anchor_by": 1 << 40}
    yield Case("anchor-by", "promised-far-ahead", partial(_receive, {4: late}, None))
    yield Case(
        "anchor-by", "received-before-the-round-opened", partial(_receive, {0: {"received_at": 1_800_000_000}}, None)
    )
    yield Case("anchor-by", "promise-broken", _post_late)


def _receive(changes: dict[int, dict[str, Any]], signer: Signer | None, draft: Draft) -> None:
    draft.receive(changes, signer)
    draft.close()
    draft.account()


def _remove_receipt(draft: Draft) -> None:
    draft.receipts.pop()
    draft.close()


def _repeat_receipt(draft: Draft) -> None:
    draft.receipts.append(draft.receipts[-1])
    draft.close()


def _flip_signature(draft: Draft) -> None:
    signed = draft.receipts[1]
    signature = bytes([signed.signature[0] ^ 1]) + signed.signature[1:]
    draft.receipts[1] = replace(signed, signature=signature)
    draft.account()


def _post_late(draft: Draft) -> None:
    promised = min(receipt.statement.anchor_by for receipt in draft.receipts)
    draft.chain.final_at[-1] = promised + 1 + draft.terms.window
    draft.chain.state["windowEnd"] = draft.chain.final_at[-1]
    draft.chain.timestamp = draft.chain.final_at[-1] + 1


def _list_closing() -> Iterator[Case]:
    for what, changes in (
        ("another-job", {"job": OTHER}),
        ("another-round", {"round": LAST + 1}),
        ("count-plus-one", {"count": 6}),
        ("count-minus-one", {"count": 4}),
        ("another-time", {"closed_at": 1_800_000_141}),
    ):
        yield Case("closing-accumulator", what, partial(_close, changes))
    yield Case("closing-accumulator", "another-history", _close_elsewhere, others=ANY)
    yield Case("seed-digest", "another-promise", partial(_close, {"seed_digest": OTHER}))
    yield Case("closing-signature", "another-key", lambda draft: draft.close(STRANGER))


def _close(changes: dict[str, Any], draft: Draft) -> None:
    draft.close(**changes)


def _close_elsewhere(draft: Draft) -> None:
    draft.close(accumulator=OTHER)


def _list_openings() -> Iterator[Case]:
    yield Case("opening", "another-salt", _change_salt, others=ANY)
    yield Case("opening", "vector-commitment-where-there-is-none", _commit_vector, LEARNING)
    yield Case("opening", "left-out", partial(_keep_back, evidence.OPENINGS), outcome=NOT_KNOWN)
    yield Case("verdict-unrevealed", "revealed-and-denied", _deny_opening, others=ANY)
    yield Case("verdict-unrevealed", "opening-hidden", _hide_opening, others=ANY)
    yield Case("beacon", "chosen", lambda draft: draft.header.update(beacon=OTHER))
    yield Case("beacon", "zero", lambda draft: draft.header.update(beacon=bytes(32)))


def _change_salt(draft: Draft) -> None:
    opening = draft.openings[0]
    assert opening is not None
    draft.openings[0] = Opening(opening.payload_sha256, opening.vector_commitment, OTHER)


def _commit_vector(draft: Draft) -> None:
    """An honest node's commitment to a vector that this job's rules do not know; the beacon follows the salts."""
    opening = draft.openings[0]
    assert opening is not None
    changed = Opening(opening.payload_sha256, sha256(b"vector"), opening.salt)
    draft.openings[0] = changed
    draft.sign(0, commitment=changed.struct_hash())
    draft.resign()
    draft.header.update(accumulator=draft.receipts[-1].statement.accumulator)


def _deny_opening(draft: Draft) -> None:
    draft.account(verdicts={1: Verdict.UNREVEALED})


def _hide_opening(draft: Draft) -> None:
    draft.openings[1] = None


def _cut(name: str, _: Draft) -> Any:
    return edit(name_round(LAST, name), lambda content: content[:-1])


def _keep_back(name: str, _: Draft) -> Any:
    return drop(name_round(LAST, name))
