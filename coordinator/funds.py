"""The coordinator's own money on chain: what it deposits for bonds, and takes back. Run while the worker is stopped.

Only one program may send with the coordinator's key: these commands take the worker's lease for as long as they send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from contracts.amounts import DECIMALS, format_amount, parse_amount
from contracts.challenges import CourtCalls
from contracts.deployment import ZERO_ADDRESS
from contracts.escrow import deposit_bond
from contracts.gateway import Gateway
from contracts.sender import Sender
from coordinator.app import build_context
from coordinator.context import Context
from coordinator.running import lease
from coordinator.schema import create_tables
from coordinator.settings import CoordinatorSettings
from ledger.hexadecimal import to_address, to_hex

_TOKEN_BYTES = 8
_LEASE_SECONDS = 300


class WorkerIsRunning(Exception):
    """The worker holds the lease, and with it the right to send transactions."""

    def __init__(self) -> None:
        super().__init__(
            "the worker is running and is the only one that may send with the coordinator's key: stop it first"
        )


class NothingToCollect(Exception):
    """The court holds no coin for the coordinator."""

    def __init__(self) -> None:
        super().__init__("the court holds nothing for this coordinator: no demand was answered since the last time")


def deposit(settings: CoordinatorSettings, tokens: str) -> dict[str, str]:
    """Add whole tokens to the funds from which bonds are locked. Raises WorkerIsRunning, InsufficientTokens."""
    with _sending(settings) as (context, gateway, sender):
        mined = deposit_bond(gateway, sender, _parse(gateway, tokens))
        return {**_describe(context, gateway), "transaction": to_hex(mined.hash)}


def withdraw(settings: CoordinatorSettings, tokens: str, to: bytes) -> dict[str, str]:
    """Take whole tokens from the free funds: deposits, released bonds. Raises WorkerIsRunning, TransactionReverted."""
    with _sending(settings) as (context, gateway, sender):
        mined = sender.execute(gateway.calls.withdraw(to, _parse(gateway, tokens)))
        return {**_describe(context, gateway), "transaction": to_hex(mined.hash)}


def close(settings: CoordinatorSettings, job: bytes) -> dict[str, str]:
    """Ask for the end of a job whose requester does not. Raises WorkerIsRunning, TransactionReverted."""
    with _sending(settings) as (_, gateway, sender):
        mined = sender.execute(gateway.calls.request_close(job))
        state = gateway.fetch_job(job)
        closes_at = 0 if state is None else state.closes_at
        return {"job": to_hex(job), "closesAt": str(closes_at), "transaction": to_hex(mined.hash)}


def collect(settings: CoordinatorSettings) -> dict[str, str]:
    """Draw the bonds of answered demands from the court. Raises WorkerIsRunning, NothingToCollect."""
    with _sending(settings) as (context, gateway, sender):
        coin = _fetch_bonds(context, gateway)
        if coin == 0:
            raise NothingToCollect
        calls = CourtCalls(gateway.deployment, gateway.execution.interfaces)
        mined = sender.execute(calls.withdraw_coin(context.signer.address))
        return {**_describe(context, gateway), "collected": str(coin), "transaction": to_hex(mined.hash)}


def show(settings: CoordinatorSettings) -> dict[str, str]:
    """What the coordinator has: coin for gas, tokens, free funds in the ledger, undrawn bonds of demands in coin.

    All in base units; `describe` writes them for people.
    """
    context = build_context(settings)
    try:
        with Gateway.connect(settings.rpc_url, context.deployment) as gateway:
            return _describe(context, gateway)
    finally:
        _close(context)


def describe(result: Mapping[str, str]) -> dict[str, str]:
    """The same for people: whole coins, and tokens by the token's own decimals."""
    units = dict.fromkeys(("coin", "bonds", "collected"), DECIMALS)
    units |= dict.fromkeys(("tokens", "free"), int(result["decimals"]))
    return {
        name: format_amount(int(value), units[name]) if name in units else value
        for name, value in result.items()
        if name != "decimals"
    }


def _fetch_bonds(context: Context, gateway: Gateway) -> int:
    """What answered demands brought and nobody has drawn, in wei."""
    has_court = gateway.deployment.challenge_court != ZERO_ADDRESS
    return gateway.fetch_coin(context.signer.address) if has_court else 0


def _describe(context: Context, gateway: Gateway) -> dict[str, str]:
    address = context.signer.address
    return {
        "address": to_address(address),
        "coin": str(gateway.fetch_balance(address)),
        "tokens": str(gateway.fetch_token_balance(address)),
        "free": str(gateway.fetch_funds(address)),
        "bonds": str(_fetch_bonds(context, gateway)),
        "decimals": str(gateway.fetch_decimals(gateway.deployment.tally_token)),
    }


def _parse(gateway: Gateway, tokens: str) -> int:
    """Whole tokens as base units, by the token's own decimals."""
    return parse_amount(tokens, gateway.fetch_decimals(gateway.deployment.tally_token))


@contextmanager
def _sending(settings: CoordinatorSettings) -> Iterator[tuple[Context, Gateway, Sender]]:
    context = build_context(settings)
    create_tables(context.database)
    holder = lease.name_holder(context.randomness(_TOKEN_BYTES).hex())
    try:
        with context.database.write() as session:
            if not lease.acquire(session, holder, context.now, _LEASE_SECONDS):
                raise WorkerIsRunning
        with Gateway.connect(settings.rpc_url, context.deployment) as gateway:
            yield context, gateway, Sender(gateway, context.signer)
    finally:
        with context.database.write() as session:
            lease.release(session, holder)
        _close(context)


def _close(context: Context) -> None:
    context.compute.close()
    context.database.close()
