"""`tally audit withdraw`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.auditor.unfinished import unfinished_is_not_checked
from client.options import JsonOption, PassphraseOption, RpcOption, start

if TYPE_CHECKING:
    from contracts.gateway import Gateway
    from contracts.sender import Sender


def withdraw(
    wallet: Annotated[Path, typer.Option("--wallet", metavar="FILE", help="Keystore of the auditor's key.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Who gets it, else the wallet's own address.")
    ] = None,
    passphrase_file: PassphraseOption = None,
    rpc: RpcOption = None,
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", metavar="ADDRESS", help="The JobLedger that you trust, else the one you pinned."),
    ] = None,
    chain_id: Annotated[
        int | None,
        typer.Option("--chain-id", min=1, help="The chain that you trust, else the one your provider serves."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw what upheld challenges earned: bounties from the ledger, bonds of demands from the court.

    Bounties in another token than the deployment's own stay in the ledger, for its function withdraw.
    """
    from client.auditor.policy import choose_policy  # noqa: PLC0415 -- --help must not wait for these
    from client.auditor.reading import parse_node  # noqa: PLC0415
    from client.errors import UsageRefused  # noqa: PLC0415
    from client.output import print_json, print_pairs  # noqa: PLC0415
    from client.passphrase import read_passphrase  # noqa: PLC0415
    from client.wallet import unlock_wallet  # noqa: PLC0415
    from contracts.chain import Chain, fetch_chain_id  # noqa: PLC0415
    from contracts.gateway import Gateway  # noqa: PLC0415
    from contracts.inspection import inspect_deployment  # noqa: PLC0415
    from contracts.rpc import Rpc  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415

    settings, home = start()
    with unfinished_is_not_checked():
        provider = rpc or settings.rpc
        if not provider:
            raise UsageRefused("which chain? Give --rpc URL of a provider that you trust, or set TALLY_RPC")
        policy = choose_policy(home, ledger, chain_id)
        signer = unlock_wallet(wallet, read_passphrase(settings, passphrase_file, new=False))
        with Rpc(provider) as connection:
            chain = Chain(connection, policy.chain_id or fetch_chain_id(connection))
            chain.verify()
            gateway = Gateway(connection, inspect_deployment(chain, policy.job_ledger))
            drawn = _draw(gateway, Sender(gateway, signer), parse_node(to) if to else signer.address)
    if as_json:
        print_json(drawn)
    else:
        print_pairs(drawn)


def _draw(gateway: Gateway, sender: Sender, to: bytes) -> dict[str, str]:
    """Draws tokens and coin, whichever there are; amounts in base units and wei."""
    from contracts.challenges import CourtCalls  # noqa: PLC0415
    from contracts.deployment import ZERO_ADDRESS  # noqa: PLC0415
    from ledger.hexadecimal import to_address, to_hex  # noqa: PLC0415

    tokens, coin = gateway.fetch_funds(sender.address), 0
    drawn = {"to": to_address(to), "tokens": str(tokens)}
    if tokens:
        drawn["tokensTransaction"] = to_hex(sender.execute(gateway.calls.withdraw(to, tokens)).hash)
    if gateway.deployment.challenge_court != ZERO_ADDRESS:
        coin = gateway.fetch_coin(sender.address)
        drawn["coin"] = str(coin)
    if coin:
        court = CourtCalls(gateway.deployment, gateway.execution.interfaces)
        drawn["coinTransaction"] = to_hex(sender.execute(court.withdraw_coin(to)).hash)
    return drawn
