"""`tally node payout` and `rotate`, and what all commands share that an operator's wallet sends."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.node.cli_setup import register
from client.node.cli_status import NodeOption
from client.options import CoordinatorOption, JsonOption, PassphraseOption, RpcOption, contact, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.contact import Contact
    from client.node.operator.joining import Enrolment
    from contracts.gateway import Gateway
    from contracts.sender import Sender
    from ledger.signatures import Signer

OperatorKeyOption = Annotated[
    Path | None,
    typer.Option("--keystore", metavar="FILE", help="The operator's wallet; else the one in this TALLY_HOME."),
]


def payout(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where earnings shall go from now on.")],
    coordinator: CoordinatorOption = None,
    node: NodeOption = None,
    keystore: OperatorKeyOption = None,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change where a node's claims go: a transaction of the operator's, which needs a little coin for gas."""
    from client.node.operator.accounts import find_nodes  # noqa: PLC0415
    from client.node.operator.operating import change_payout  # noqa: PLC0415
    from ledger.hexadecimal import parse_address, to_address  # noqa: PLC0415

    target = parse_address(address, "ADDRESS")
    with operate(coordinator, keystore, rpc, passphrase_file) as (found, sender, gateway):
        for member in find_nodes(found.home, node):
            mined = change_payout(gateway, sender, member, target)
            print_mined({"node": to_address(member), "payout": to_address(target)}, mined.hash, as_json=as_json)


def rotate(
    complete: Annotated[
        bool, typer.Option("--complete", help="Take the last step, once the delay has passed.")
    ] = False,
    coordinator: CoordinatorOption = None,
    keystore: OperatorKeyOption = None,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace this machine's hot key: after theft or loss, or as a habit. Earnings are not touched.

    The first call makes a new key, registers it and starts the delay; the call with --complete puts it to work. Stop
    the node before that call. The new key joins no running job in which the old one has an entry.
    """
    from client.node.operator.rotation import finish_rotation, prepare_rotation  # noqa: PLC0415
    from client.node.operator.wallets import Keyring  # noqa: PLC0415
    from client.output import format_time  # noqa: PLC0415
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    with operate(coordinator, keystore, rpc, passphrase_file) as (found, sender, gateway):
        if complete:
            done = finish_rotation(found.home, gateway, sender)
            facts = {"node": to_address(done.successor), "replaced": to_address(done.node)}
            print_mined(facts, done.transaction, as_json=as_json)
            return
        settings, _ = start()
        keyring = Keyring(found.home, settings, passphrase_file)

        def enrol(signer: Signer, enrolment: Enrolment) -> None:
            register(found, signer, enrolment)

        done = prepare_rotation(found.home, keyring, gateway, sender, enrol)
        facts = {
            "node": to_address(done.node),
            "successor": to_address(done.successor),
            "due": format_time(done.due_at),
        }
        print_mined(facts, done.transaction, as_json=as_json)


@contextmanager
def operate(
    coordinator: str | None, keystore: Path | None, rpc: str | None, passphrase_file: Path | None
) -> Iterator[tuple[Contact, Sender, Gateway]]:
    """The coordinator, the operator's sender and the chain it sends to."""
    from client.chain import choose_rpc, connect_chain  # noqa: PLC0415
    from client.node.operator.wallets import Keyring  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415

    settings, found = contact(coordinator)
    keyring = Keyring(found.home, settings, passphrase_file)
    signer = keyring.unlock(keystore or found.home.operator_wallet, "operator wallet")
    with connect_chain(choose_rpc(rpc or settings.rpc, found.info), found.pin, found.info.start_block) as gateway:
        yield found, Sender(gateway, signer), gateway


def print_mined(facts: dict[str, str], transaction: bytes | None, *, as_json: bool) -> None:
    """What was changed, and by which transaction; None where an earlier call had sent it."""
    from client.output import print_json, print_pairs  # noqa: PLC0415
    from ledger.hexadecimal import to_hex  # noqa: PLC0415

    hashed = None if transaction is None else to_hex(transaction)
    if as_json:
        print_json({**facts, "transaction": hashed})
    else:
        print_pairs({**facts, "transaction": hashed or "none: an earlier call had sent it"})
