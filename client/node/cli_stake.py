"""`tally node stake`, `unstake` and `withdraw-stake`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from client.node.cli_operating import OperatorKeyOption, operate
from client.node.cli_status import NodeOption
from client.options import CoordinatorOption, JsonOption, PassphraseOption, RpcOption, contact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from client.contact import Contact
    from client.node.operator.staking import Stake
    from client.tokens import Unit
    from contracts.gateway import Gateway


def stake(
    amount: Annotated[
        str | None,
        typer.Argument(metavar="AMOUNT", help="Tokens that each node shall have at stake; left out, it is shown."),
    ] = None,
    coordinator: CoordinatorOption = None,
    node: NodeOption = None,
    keystore: OperatorKeyOption = None,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put tokens at stake for jobs that ask for it, or show what your nodes have at stake.

    AMOUNT is what each node shall have, not what is added: what is missing is taken from the operator's wallet, which
    also needs a little coin for gas, and repeating the command takes nothing more. Stake is lost only by a node that
    signs two contributions for one round; `tally node unstake` asks for it back.
    """
    from client.chain import choose_rpc, connect_chain  # noqa: PLC0415
    from client.node.operator.staking import fetch_stakes, raise_stakes  # noqa: PLC0415
    from contracts.amounts import parse_amount  # noqa: PLC0415

    if amount is None:
        settings, found = contact(coordinator, quiet=as_json)
        with connect_chain(choose_rpc(rpc or settings.rpc, found.info), found.pin, found.info.start_block) as gateway:
            _print_stakes(fetch_stakes(gateway, _find_nodes(found, node)), _ask_unit(gateway), as_json=as_json)
        return
    with operate(coordinator, keystore, rpc, passphrase_file) as (found, sender, gateway):
        wanted = parse_amount(amount, gateway.fetch_decimals(gateway.deployment.tally_token))
        stakes = raise_stakes(gateway, sender, _find_nodes(found, node), wanted)
        _print_stakes(stakes, _ask_unit(gateway), as_json=as_json)


def unstake(
    amount: Annotated[
        str | None, typer.Argument(metavar="AMOUNT", help="Tokens of each node that shall leave; 0 lets none leave.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that each node has at stake.")] = False,
    coordinator: CoordinatorOption = None,
    node: NodeOption = None,
    keystore: OperatorKeyOption = None,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for stake back: it counts for no job from now on, and can be withdrawn after a delay of 15 days.

    AMOUNT takes the place of what was asked for before, and starts the delay anew unless it is the same. A node with
    less at stake than a job asks for takes no further part in it.
    """
    from client.errors import UsageRefused  # noqa: PLC0415
    from client.node.operator.staking import ask_back  # noqa: PLC0415
    from contracts.amounts import parse_amount  # noqa: PLC0415

    if (amount is None) != everything:
        raise UsageRefused("say how much shall leave: either an AMOUNT, or --all")
    with operate(coordinator, keystore, rpc, passphrase_file) as (found, sender, gateway):
        decimals = gateway.fetch_decimals(gateway.deployment.tally_token)
        wanted = None if amount is None else parse_amount(amount, decimals)
        stakes = ask_back(gateway, sender, _find_nodes(found, node), wanted)
        _print_stakes(stakes, _ask_unit(gateway), as_json=as_json)


def withdraw_stake(
    coordinator: CoordinatorOption = None,
    node: NodeOption = None,
    keystore: OperatorKeyOption = None,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the stake that was asked back and whose delay is over; it goes to the operator's address."""
    from client.node.operator.staking import withdraw_stakes  # noqa: PLC0415

    with operate(coordinator, keystore, rpc, passphrase_file) as (found, sender, gateway):
        stakes = withdraw_stakes(gateway, sender, _find_nodes(found, node))
        _print_stakes(stakes, _ask_unit(gateway), as_json=as_json)


def _find_nodes(found: Contact, node: str | None) -> list[bytes]:
    from client.errors import UsageRefused  # noqa: PLC0415
    from client.node.operator.accounts import find_nodes  # noqa: PLC0415

    nodes = find_nodes(found.home, node)
    if not nodes:
        raise UsageRefused("there is no node here yet: `tally node run` makes one, or name one with --node")
    return nodes


def _ask_unit(gateway: Gateway) -> Unit:
    from client.tokens import ask_unit  # noqa: PLC0415

    return ask_unit(gateway, gateway.deployment.tally_token)


def _print_stakes(stakes: Iterable[Stake], unit: Unit, *, as_json: bool) -> None:
    """A line a node as soon as its transaction is mined, for with many nodes that takes a while."""
    from client.output import format_time, print_json  # noqa: PLC0415
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    if as_json:
        print_json([found.to_json() for found in stakes])
        return
    for found in stakes:
        parts = [f"{unit.write(found.at_stake)} at stake"]
        if found.leaves_at is not None:
            parts.append(f"{unit.write(found.leaving)} leaving, to be withdrawn from {format_time(found.leaves_at)} on")
        if found.withdrawn:
            parts.append(f"{unit.write(found.withdrawn)} sent to its operator")
        typer.echo(f"{to_address(found.node)}: {'; '.join(parts)}")
