"""`tally node init`, `join` and `backup`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.node.cli_run import OperatorOption, PayoutOption
from client.options import CoordinatorOption, JsonOption, PassphraseOption, contact, start

if TYPE_CHECKING:
    from client.contact import Contact
    from client.node.operator.joining import Enrolment
    from ledger.signatures import Signer
    from ledger.wire import NodeView


def init(
    operator: OperatorOption = None,
    fleet: Annotated[bool, typer.Option("--fleet", help="Make the encrypted seed of a fleet instead.")] = False,
    words: Annotated[
        bool, typer.Option("--words", help="With --fleet: show the seed's 24 words, to keep on paper.")
    ] = False,
    restore: Annotated[
        Path | None, typer.Option("--restore", metavar="FILE", help="With --fleet: make the seed from 24 words.")
    ] = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make this machine's wallets: the node's hot key and, unless you name an operator, the operator's key.

    The operator's wallet owns the node and its earnings: move it to a safe place after a backup. `tally node run` makes
    whatever is missing, so this is only needed to look before you start.
    """
    from client.node.operator.wallets import Keyring  # noqa: PLC0415
    from client.output import print_json, print_pairs  # noqa: PLC0415
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    settings, home = start()
    keyring = Keyring(home, settings, passphrase_file)
    if fleet or restore is not None:
        made = keyring.make_seed(home.fleet_seed, None if restore is None else restore.read_text(encoding="utf-8"))
        result = {"seed": str(home.fleet_seed), "firstNode": to_address(made.derive(1)[0].address)}
        if words:
            result["words"] = made.words()
    else:
        with keyring.unlock_node() as signer:
            owner = keyring.choose_enrolment(operator, None).operator
            result = {"node": to_address(signer.address), "operator": to_address(owner), "home": str(home.path)}
    if as_json:
        print_json(result)
    else:
        print_pairs(result)


def join(
    coordinator: CoordinatorOption = None,
    operator: OperatorOption = None,
    payout: PayoutOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register this machine's node with its operator and payout address; the coordinator pays the gas."""
    from client.node.operator.wallets import Keyring  # noqa: PLC0415
    from client.output import print_json, print_pairs  # noqa: PLC0415
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    keyring = Keyring(found.home, settings, passphrase_file)
    with keyring.unlock_node() as signer:
        enrolment = keyring.choose_enrolment(operator, payout)
        view = register(found, signer, enrolment)
    result = {
        "node": to_address(view.node),
        "operator": to_address(view.operator),
        "payout": to_address(view.payout),
        "state": view.state,
    }
    if as_json:
        print_json(result)
    else:
        print_pairs(result)


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The zip to write.")], as_json: JsonOption = False
) -> None:
    """Write wallets (still encrypted), journal and pins to a zip.

    To restore, unzip it into an empty TALLY_HOME before any node runs there; the passphrases stay the same. Never run
    two machines from one backup: a node that signs two contributions for one round can lose its stake.
    """
    from client.node.operator.backup import RESTORE, save_backup  # noqa: PLC0415
    from client.output import print_json  # noqa: PLC0415

    _, home = start()
    names = save_backup(home, target)
    if as_json:
        print_json({"file": str(target), "holds": names})
        return
    typer.echo(f"{target} holds {', '.join(names)}.\n{RESTORE}")


def register(found: Contact, signer: Signer, enrolment: Enrolment) -> NodeView:
    """Registers one node, waits until the chain has it, and notes it as one of this machine's."""
    import asyncio  # noqa: PLC0415
    import time  # noqa: PLC0415

    from client import read_version  # noqa: PLC0415
    from client.api import AsyncApi  # noqa: PLC0415
    from client.node.operator.joining import PatientTeller, ensure_registered  # noqa: PLC0415
    from client.node.records.database import Database  # noqa: PLC0415
    from client.node.records.journal import Journal  # noqa: PLC0415

    async def main() -> NodeView:
        async with AsyncApi(found.url) as api:
            views = await ensure_registered(
                api, found.pin, [signer], enrolment, version=read_version(), now=time.time, tell=PatientTeller()
            )
        return views[0]

    view = asyncio.run(main())
    database = Database(found.home.journal)
    try:
        Journal(database).note_nodes([signer.address])
    finally:
        database.close()
    return view
