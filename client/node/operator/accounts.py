"""What nodes have earned, from signed entries verified here; the chain is asked where a provider is known."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from client import calls
from client.chain import compute_anchor
from client.contact import Contact
from client.entries import read_entry
from client.errors import CoordinatorRefused
from client.home import Home
from client.node.records.database import Database
from client.node.records.journal import Journal
from client.wallet import read_address
from contracts.gateway import Gateway
from ledger.entry import Entry
from ledger.errors import VerificationError
from ledger.evidence import MANIFEST, SCREENING
from ledger.hexadecimal import parse_address, to_address, to_hex
from ledger.screening import Reason
from ledger.tree import PaddedTree
from ledger.verdicts import read_reason
from ledger.wire import EntryView, HeaderView, JobEarnings

FEW_NODES = 4
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Account:
    """What one node has earned in one job; amounts in base units.

    `earned` and `final` come from verified entries, `claimed` from the chain where it was asked, else from the
    coordinator. `anchored` says whether the chain confirmed the newest final entry's anchor; None if it was not asked.
    """

    node: bytes
    job: bytes
    title: str
    earned: int
    final: int
    claimed: int
    last_round: int
    final_round: int
    anchored: bool | None

    @property
    def claimable(self) -> int:
        """What a claim would pay now."""
        return max(0, self.final - self.claimed)

    def to_json(self) -> dict[str, object]:
        """The account with hex and decimal strings."""
        return {
            "node": to_address(self.node),
            "job": to_hex(self.job),
            "title": self.title,
            "earned": str(self.earned),
            "final": str(self.final),
            "claimed": str(self.claimed),
            "claimable": str(self.claimable),
            "lastRound": self.last_round,
            "lastFinalRound": self.final_round,
            "anchored": self.anchored,
        }


def find_nodes(home: Home, wanted: str | None) -> list[bytes]:
    """The nodes a command is about: the one that was named, else every node that this home has run."""
    if wanted is not None:
        return [parse_address(wanted, "--node")]
    found = [read_address(home.node_wallet)] if home.node_wallet.exists() else []
    if home.journal.exists():
        database = Database(home.journal)
        try:
            found += Journal(database).list_nodes()
        finally:
            database.close()
    return list(dict.fromkeys(found))


def fetch_accounts(found: Contact, nodes: Sequence[bytes], gateway: Gateway | None) -> list[Account]:
    """Every node's account in every job, verified.

    Raises:
        VerificationError: an entry, header or anchor is not what the coordinator says.
    """
    reader = EntryReader(found, whole_rounds=len(nodes) > FEW_NODES)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = pool.map(lambda node: found.api.fetch(calls.earnings(node)), nodes)
        pairs = [(node, job) for node, earnings in zip(nodes, told, strict=True) for job in earnings.jobs]
        return list(pool.map(lambda pair: _read_account(reader, pair[0], pair[1], gateway), pairs))


class EntryReader:
    """Fetches and verifies entries; for many nodes a round's entries come at once. Safe to use from several threads."""

    def __init__(self, found: Contact, *, whole_rounds: bool) -> None:
        self._found, self._whole_rounds = found, whole_rounds
        self._rounds: dict[tuple[bytes, int], tuple[HeaderView, dict[bytes, Entry], PaddedTree]] = {}
        self._lock = threading.Lock()

    def read(self, job: bytes, round_number: int, node: bytes) -> tuple[EntryView, Entry]:
        """A node's entry with header and proof, verified."""
        view = self._compose(job, round_number, node) if self._whole_rounds else None
        if view is None:
            view = self._found.api.fetch(calls.entry(job, round_number, node))
        return view, read_entry(view, self._found.pin, job, round_number, node)

    def _compose(self, job: bytes, round_number: int, node: bytes) -> EntryView | None:
        with self._lock:
            if (job, round_number) not in self._rounds:
                entries = self._found.api.fetch(calls.entries(job, round_number))
                header = self._found.api.fetch(calls.header(job, round_number))
                tree = PaddedTree([entry.leaf() for entry in entries])
                self._rounds[job, round_number] = (header, {entry.node: entry for entry in entries}, tree)
            header, known, tree = self._rounds[job, round_number]
        if node not in known:
            return None
        entry = known[node]
        return EntryView(entry=entry.to_json(), proof=tree.proof(entry.seq), header=header.header, anchor=header.anchor)


def fetch_reason(found: Contact, view: EntryView, entry: Entry) -> Reason | None:
    """Why an entry has its verdict, by files that its header signs; None where they are not handed out.

    Raises:
        VerificationError, Malformed: what is handed out is something else.
    """
    head = view.header.statement
    try:
        manifest, content = (
            found.api.fetch(calls.evidence(head.job, head.round, name)) for name in (MANIFEST, SCREENING)
        )
    except CoordinatorRefused:
        return None
    return read_reason(head, manifest, content, entry)


def verify_on_chain(gateway: Gateway, view: EntryView) -> None:
    """Checks that the chain keeps the anchor of an entry's header. Raises VerificationError: `anchor`."""
    head = view.header.statement
    state = gateway.fetch_round(head.job, head.round)
    if view.anchor is None or state is None:
        raise VerificationError("anchor", "the header is not on chain", got=f"round {head.round}")
    expected = compute_anchor(view.header, view.anchor.final_at, gateway).word()
    if state.anchor != expected:
        raise VerificationError("anchor", "the chain keeps another header", expected, state.anchor)


def _read_account(reader: EntryReader, node: bytes, told: JobEarnings, gateway: Gateway | None) -> Account:
    earned = final = 0
    anchored: bool | None = None
    if told.last_round:
        earned = reader.read(told.job, told.last_round, node)[1].earned
    if told.last_final_round:
        view, entry = reader.read(told.job, told.last_final_round, node)
        final = entry.earned
        if gateway is not None:
            verify_on_chain(gateway, view)
            anchored = True
    claimed = told.claimed if gateway is None else gateway.fetch_claimed(told.job, node)
    last, last_final = told.last_round, told.last_final_round
    return Account(node, told.job, told.title, earned, final, claimed, last, last_final, anchored)
