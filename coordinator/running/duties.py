"""The worker's duty towards the chain: settlement, woken by the bell, and by time for what the chain does by itself."""

from __future__ import annotations

import asyncio

import structlog

from contracts.errors import ChainUnreachable
from contracts.gateway import Gateway
from coordinator.context import Context
from coordinator.settlement.settlement import Settlement
from coordinator.storage.bell import Topic

_RECONNECT_SECONDS = 3.0
# Bells ring many times a round, and the chain moves once a block: looks are this part of the usual wait apart.
_SHORTEST_PAUSE_PART = 0.25
_log = structlog.get_logger()


async def settle(context: Context) -> None:
    """Follow the chain and send what it needs, until cancelled."""
    gateway = await _connect(context)
    settlement = Settlement(context, gateway)
    seconds = context.settings.settlement_seconds
    try:
        with context.bell.listen(Topic.ROUNDS, Topic.JOBS, Topic.NODES, Topic.CLAIMS) as listener:
            while True:
                await asyncio.to_thread(settlement.look)
                await asyncio.sleep(_SHORTEST_PAUSE_PART * seconds)
                await listener.wait(seconds)
    finally:
        gateway.close()


async def _connect(context: Context) -> Gateway:
    while True:
        try:
            return await asyncio.to_thread(Gateway.connect, context.settings.rpc_url, context.deployment)
        except ChainUnreachable as error:
            _log.warning("chain_unreachable", detail=str(error), retry_seconds=_RECONNECT_SECONDS)
            await asyncio.sleep(_RECONNECT_SECONDS)
