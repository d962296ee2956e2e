"""Claims: the newest final entry and its proof draw all that a node has earned in a job, to its payout address.

The coordinator relays them at its own cost; with some coin of their own, anyone can send them without it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from client import calls
from client.contact import Contact
from client.entries import read_entry
from client.errors import ClientError
from client.identity import Identity
from client.node.operator.accounts import AT_ONCE, FEW_NODES, Account, EntryReader
from client.node.records.archive import Archive
from client.output import format_time, show_text
from client.pins import Pin
from client.tokens import TokenBook
from contracts.calls import ClaimItem
from contracts.gateway import Gateway
from contracts.sender import Sender
from contracts.state import Anchor
from ledger.hexadecimal import to_address, to_hex
from ledger.wire import ClaimRequest, ClaimView, EntryView

LOOK_SECONDS = 1.0
TOLD_JOBS = 3
PATIENT_LOOKS = 5


class NothingFinal(ClientError):
    """There is nothing that a claim would pay now."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"nothing can be claimed now: {reason}")


class ClaimFailed(ClientError):
    """The relay could not bring the claim onto the chain."""

    def __init__(self, node: bytes, job: bytes, detail: str) -> None:
        self.node, self.job, self.detail = node, job, detail
        super().__init__(
            f"the claim of node {to_address(node)} in job {to_hex(job)} failed: {detail}; nothing is lost, claim "
            "again, or send it yourself with --own-gas"
        )


@dataclass(frozen=True, slots=True)
class Paid:
    """A claim that is on chain; `amount` in base units."""

    node: bytes
    job: bytes
    round: int
    amount: int
    transaction: bytes | None

    def to_json(self) -> dict[str, object]:
        """The payment with hex and decimal strings."""
        transaction = None if self.transaction is None else to_hex(self.transaction)
        return {
            "node": to_address(self.node),
            "job": to_hex(self.job),
            "round": self.round,
            "amount": str(self.amount),
            "transaction": transaction,
        }


def explain_waiting(found: Contact, accounts: Sequence[Account], book: TokenBook, now: int) -> NothingFinal:
    """When what has been earned can be claimed; at least one account must have something that is not final."""
    waiting = [account for account in accounts if account.earned > account.final]
    account = waiting[0]
    view = found.api.fetch(calls.round_view(account.job, account.last_round))
    if view.final_at is None:
        when = f"round {account.last_round} is not on chain yet"
    else:
        when = (
            f"round {account.last_round} is final at {format_time(view.final_at)}, in {max(0, view.final_at - now)} s"
        )
    jobs = {item.job: item.title for item in waiting}
    owed = {job: sum(item.earned - item.final for item in waiting if item.job == job) for job in jobs}
    told = [f"{book.find_job_unit(job).write(owed[job])} in {jobs[job]!r}" for job in list(owed)[:TOLD_JOBS]]
    more = f" and more in {len(jobs) - TOLD_JOBS} further jobs" if len(jobs) > TOLD_JOBS else ""
    return NothingFinal(f"earned but not final: {', '.join(told)}{more}; {when}")


def relay_claims(
    found: Contact, identity: Identity, accounts: Sequence[Account], sleep: Callable[[float], None] = time.sleep
) -> list[Paid]:
    """Has the coordinator send the claims, and waits until they are on chain. Raises ClaimFailed."""
    identity.sign_in()
    requests = [ClaimRequest(job=item.job, round=item.final_round, node=item.node) for item in accounts]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = list(pool.map(lambda request: identity.fetch(calls.send_claim(request)), requests))
    return [_read_paid(view) for view in _wait(found, asked, sleep)]


def send_claims(found: Contact, gateway: Gateway, sender: Sender, accounts: Sequence[Account]) -> list[Paid]:
    """Sends the claims with the sender's own coin: one transaction for each job and round."""
    grouped: dict[tuple[bytes, int], list[bytes]] = {}
    for account in accounts:
        grouped.setdefault((account.job, account.final_round), []).append(account.node)
    paid = []
    reader = EntryReader(found, whole_rounds=len(accounts) > FEW_NODES)
    for (job, round_number), nodes in grouped.items():
        views = [reader.read(job, round_number, node) for node in nodes]
        anchor = views[0][0].anchor
        if anchor is None:
            raise NothingFinal(f"round {round_number} is not on chain yet")
        words = Anchor(anchor.header_digest, anchor.entries_root, anchor.count, anchor.final_at)
        items = [ClaimItem(entry, view.proof) for view, entry in views]
        paid += _send(gateway, sender, job, round_number, words, items)
    return paid


def claim_without_coordinator(
    pin: Pin, archive: Archive, gateway: Gateway, sender: Sender, nodes: Sequence[bytes]
) -> list[Paid]:
    """Claims from kept entries and the chain alone, for when the coordinator is gone.

    Raises:
        NothingFinal: no kept entry is of a final round that still owes something.
    """
    paid: list[Paid] = []
    for node in nodes:
        kept: dict[bytes, list[EntryView]] = {}
        for view in archive.list_entries(node):
            kept.setdefault(view.header.statement.job, []).insert(0, view)
        for job, views in kept.items():
            # The newest final entry draws all; a newer one that is not final yet must not stand before it.
            final = next((view for view in views if gateway.fetch_is_final(job, view.header.statement.round)), None)
            if final is not None:
                paid += _claim_kept(pin, gateway, sender, final, node)
    if not paid:
        raise NothingFinal("no kept entry is of a final round that still owes something")
    return paid


def _claim_kept(pin: Pin, gateway: Gateway, sender: Sender, view: EntryView, node: bytes) -> list[Paid]:
    head = view.header.statement
    entry = read_entry(view, pin, head.job, head.round, node)
    if entry.earned <= gateway.fetch_claimed(head.job, node):
        return []
    posted = next(item for item in gateway.fetch_posted_rounds(head.job) if item.round == head.round)
    return _send(gateway, sender, head.job, head.round, posted.anchor, [ClaimItem(entry, view.proof)])


def _send(
    gateway: Gateway, sender: Sender, job: bytes, number: int, anchor: Anchor, items: Sequence[ClaimItem]
) -> list[Paid]:
    before = {item.entry.node: gateway.fetch_claimed(job, item.entry.node) for item in items}
    call = gateway.calls.claim_many(job, number, anchor, items)
    if len(items) == 1:
        call = gateway.calls.claim(job, number, anchor, items[0])
    mined = sender.execute(call)
    return [
        Paid(node, job, number, gateway.fetch_claimed(job, node) - claimed, mined.hash)
        for node, claimed in before.items()
    ]


def _wait(found: Contact, asked: Sequence[ClaimView], sleep: Callable[[float], None]) -> list[ClaimView]:
    """Looks at all that are not done, then pauses, until all are; what it waits for is said after a few looks."""
    views = {view.claim: view for view in asked}
    looks, told = 0, ""
    while waiting := [view for view in views.values() if view.state in ("queued", "sent")]:
        words = _describe_waiting(waiting)
        if looks >= PATIENT_LOOKS and words != told:
            told = words
            sys.stderr.write(f"{show_text(words)}\n")
        sleep(LOOK_SECONDS)
        looks += 1
        views |= {view.claim: found.api.fetch(calls.claim(view.claim)) for view in waiting}
    return [views[view.claim] for view in asked]


def _describe_waiting(waiting: Sequence[ClaimView]) -> str:
    reason = next((f" ({view.detail})" for view in waiting if view.detail), "")
    return f"{len(waiting)} claims wait for the coordinator's transaction{reason}; nothing is lost, or use --own-gas"


def _read_paid(view: ClaimView) -> Paid:
    if view.state == "failed":
        raise ClaimFailed(view.node, view.job, view.detail)
    return Paid(view.node, view.job, view.round, view.amount, view.transaction)
