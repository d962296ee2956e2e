"""Why no round of a job comes to a node that waits: the job asks for more at stake than the node has."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from client import calls
from client.api import AsyncApi
from ledger.hexadecimal import to_address, to_hex
from ledger.wire import JobView


class Shortfalls:
    """Says so once a job, for the first node of a process that it holds for.

    Args:
        api: of the coordinator, which says what is at stake; only `tally node stake` asks the chain.
    """

    def __init__(self, api: AsyncApi) -> None:
        self._api = api
        self._told: set[bytes] = set()

    async def find_open(self, node: bytes, jobs: Sequence[JobView]) -> list[JobView]:
        """Those of the jobs that ask for no more than the node has at stake. Raises what a request raises."""
        stake = (await self._api.fetch(calls.node(node))).stake if any(job.terms.min_stake for job in jobs) else 0
        for job in jobs:
            if stake < job.terms.min_stake and job.job not in self._told:
                self._told.add(job.job)
                structlog.get_logger().warning(
                    "stake_missing",
                    node=to_address(node),
                    job=to_hex(job.job),
                    needed=f"{job.terms.min_stake} base units",
                    at_stake=f"{stake} base units",
                    then="`tally job show` tells what the job asks for, `tally node stake AMOUNT` puts it there",
                )
        return [job for job in jobs if job.terms.min_stake <= stake]
