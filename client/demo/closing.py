"""The end of the demo: claims, the audit as a program of its own, and the books compared with the chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from client import calls
from client.api import Api
from client.demo.screen import NodeRow
from client.demo.services import HONEST_NODES, Services
from client.home import Home
from client.wallet import read_address
from ledger.hexadecimal import to_hex
from ledger.tally import Entry
from ledger.wire import RoundView

CLAIMS_AT_ONCE = 2


@dataclass(frozen=True)
class Books:
    """What the tallies say beside what the chain says.

    Attributes:
        tallied: what each node has earned by its newest entry, in base units.
        zero_node: the node that sent zeros.
    """

    rounds: Sequence[RoundView]
    rows: Sequence[NodeRow]
    tallied: dict[bytes, int]
    zero_node: bytes
    final_model: bytes

    @classmethod
    def read(cls, services: Services, api: Api, job: bytes) -> Books:
        """Reads entries and work from the coordinator, and claims and balances from the chain."""
        rounds = api.fetch(calls.rounds(job))
        tallied = _read_tallies(api, job, rounds)
        names = {_read_address(services, number): services.name_node(number) for number in range(HONEST_NODES + 1)}
        with services.connect() as gateway:
            rows = [
                NodeRow(
                    name=names.get(work.node, "fleet"),
                    node=work.node,
                    samples=work.samples,
                    compute_seconds=work.compute_seconds,
                    credit=work.credit,
                    earned=work.earned,
                    claimed=gateway.fetch_claimed(job, work.node),
                    balance=gateway.fetch_token_balance(work.node),
                )
                for work in api.fetch(calls.job_nodes(job))
            ]
        last = rounds[-1].next_model
        model = api.fetch(calls.blob(last)) if last is not None else b""
        return cls(rounds, rows, tallied, _read_address(services, HONEST_NODES), model)

    def list_differences(self) -> list[str]:
        """Every node whose tally, claim and balance are not one and the same amount, and a zero node that was paid."""
        problems = []
        for row in self.rows:
            amounts = {self.tallied.get(row.node), row.earned, row.claimed, row.balance}
            if len(amounts) != 1:
                problems.append(
                    f"{row.name} {to_hex(row.node)}: tally {self.tallied.get(row.node)}, shown {row.earned}, "
                    f"claimed {row.claimed}, balance {row.balance} base units"
                )
        if set(self.tallied) != {row.node for row in self.rows}:
            problems.append(f"the tallies name {len(self.tallied)} nodes, the job's work {len(self.rows)}")
        if self.tallied.get(self.zero_node) != 0:
            problems.append(f"the node that sent zeros earned {self.tallied.get(self.zero_node)}, expected 0")
        if sum(self.tallied.values()) == 0:
            problems.append("nobody earned anything")
        return problems


def claim_everything(services: Services, tell: Callable[[int], None]) -> None:
    """`tally node claim` in every home."""
    done = 0
    with ThreadPoolExecutor(CLAIMS_AT_ONCE) as pool:
        for _ in pool.map(services.claim, services.list_homes()):
            done += 1
            tell(done)


def audit_job(services: Services, job: bytes) -> list[dict[str, str]]:
    """`tally audit verify` as its own program: each check's id, outcome and meaning."""
    report = json.loads(services.audit(job))
    return [{key: str(check[key]) for key in ("id", "outcome", "meaning")} for check in report["checks"]]


def _read_tallies(api: Api, job: bytes, rounds: Sequence[RoundView]) -> dict[bytes, int]:
    newest: dict[bytes, Entry] = {}
    for view in rounds:
        newest |= {entry.node: entry for entry in api.fetch(calls.entries(job, view.round))}
    return {node: entry.earned for node, entry in newest.items()}


def _read_address(services: Services, number: int) -> bytes:
    return read_address(Home(services.folder / services.name_node(number)).node_wallet)
