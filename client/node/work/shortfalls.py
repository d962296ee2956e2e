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

    async def tell(self, node: bytes, jobs: Sequence[JobView]) -> None:
        """Looks whether one of these jobs wants more of this node. Raises what a request raises."""
        wanting = [job for job in jobs if job.terms.min_stake and job.job not in self._told]
        stake = (await self._api.fetch(calls.node(node))).stake if wanting else 0
        for job in wanting:
            if stake < job.terms.min_stake:
                self._told.add(job.job)
                structlog.get_logger().warning(
                    "stake_missing",
                    node=to_address(node),
                    job=to_hex(job.job),
                    needed=str(job.terms.min_stake),
                    at_stake=str(stake),
                    then="`tally job show` tells what the job asks for, `tally node stake AMOUNT` puts it there",
                )
