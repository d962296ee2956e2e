"""What the coordinator has free in the ledger: the bonds of the jobs it accepts are locked from that."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from contracts.deployment import Deployment
from contracts.errors import ChainError
from contracts.gateway import Gateway

_ATTEMPTS: Final = 2
"""A requester waits for the answer, and does without it: one repetition is enough."""

_log = structlog.get_logger()


class Deposits:
    """Asks a provider, one question at a time.

    Args:
        rpc_url: the provider.
        deployment: the contracts.
        account: whose deposits they are.
    """

    def __init__(self, rpc_url: str, deployment: Deployment, account: bytes) -> None:
        self._rpc_url, self._deployment, self._account = rpc_url, deployment, account
        self._turn = asyncio.Semaphore(1)

    async def fetch_free(self, token: bytes) -> int | None:
        """Free funds in base units; None when the chain gives no answer: then `openJob` alone decides."""
        async with self._turn:
            try:
                return await asyncio.to_thread(self._ask, token)
            except ChainError as error:
                _log.warning("deposits_unknown", detail=str(error))
                return None

    def _ask(self, token: bytes) -> int:
        with Gateway.connect(self._rpc_url, self._deployment, attempts=_ATTEMPTS) as gateway:
            return gateway.fetch_funds(self._account, token)
