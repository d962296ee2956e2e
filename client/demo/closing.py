"""The end of the demo: claims, the audit as a program of its own, and the books compared with the chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from client import calls
from client.api import Api
from client.demo.pretence import COPYING, Pretence, read_payloads, tell_pretence
from client.demo.screen import NodeRow
from client.demo.services import DISHONEST_NODES, SINGLE_NODES, Services
from ledger.hexadecimal import to_hex
from ledger.wire import RoundView

CLAIMS_AT_ONCE = 2
MOST_UNPAID = 0.1
"""So large a part of the honest nodes may have had data that did not help in so few rounds."""


@dataclass(frozen=True)
class Books:
    """What the tallies say beside what the chain says.

    Attributes:
        tallied: what each node has earned by its newest entry, in base units.
        pretences: what became of the dishonest nodes.
    """

    rounds: Sequence[RoundView]
    rows: Sequence[NodeRow]
    tallied: dict[bytes, int]
    pretences: Sequence[Pretence]
    final_model: bytes

    @classmethod
    def read(cls, services: Services, api: Api, job: bytes) -> Books:
        """Reads entries and work from the coordinator, and claims and balances from the chain."""
        rounds = api.fetch(calls.rounds(job))
        entries = [api.fetch(calls.entries(job, view.round)) for view in rounds]
        numbers = range(SINGLE_NODES)
        names = {services.read_address(name): name for name in map(services.name_node, numbers)}
        with services.connect() as gateway:
            digests = read_payloads(api, gateway.deployment.chain_id, job, entries)
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
        pretences = [
            tell_pretence(name, update, services.read_address(name), entries, digests)
            for name, update in DISHONEST_NODES.items()
        ]
        tallied = {entry.node: entry.earned for whole in entries for entry in whole}
        last = rounds[-1].next_model
        model = api.fetch(calls.blob(last)) if last is not None else b""
        return cls(rounds, rows, tallied, pretences, model)

    @property
    def honest(self) -> Sequence[NodeRow]:
        """The rows of all others."""
        dishonest = {pretence.node for pretence in self.pretences}
        return [row for row in self.rows if row.node not in dishonest]

    def list_differences(self) -> list[str]:
        """Nodes whose tally, claim and balance are not one amount; dishonest ones that were paid, honest ones not."""
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
        problems += [f"{one.name} earned {one.earned} base units, expected 0" for one in self.pretences if one.earned]
        problems += [
            f"{one.name} copied {one.copies} updates, of which {one.refused} were refused, expected all of at least one"
            for one in self.pretences
            if DISHONEST_NODES[one.name] == COPYING and len(self.rounds) > 1 and not 0 < one.copies == one.refused
        ]
        unpaid = sum(row.earned == 0 for row in self.honest)
        if unpaid > len(self.honest) * MOST_UNPAID:
            problems.append(f"{unpaid} of {len(self.honest)} honest nodes earned nothing")
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
