"""`tally node init`, `join`, `payout`, `rotate` and `backup`."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.node.cli_run import OperatorOption, PayoutOption
from client.node.cli_status import NodeOption
from client.options import CoordinatorOption, JsonOption, PassphraseOption, RpcOption, contact, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.contact import Contact
    from client.node.joining import Enrolment
    from contracts.gateway import Gateway
    from contracts.sender import Sender
    from ledger.signatures import Signer
    from ledger.wire import NodeView

OperatorKeyOption = Annotated[
    Path | None,
    typer.Option("--keystore", metavar="FILE", help="The operator's wallet; else the one in this TALLY_HOME."),
]


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
    from client.node.wallets import Keyring  # noqa: PLC0415
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
    from client.node.wallets import Keyring  # noqa: PLC0415
    from client.output import print_json, print_pairs  # noqa: PLC0415
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    keyring = Keyring(found.home, settings, passphrase_file)
    with keyring.unlock_node() as signer:
        enrolment = keyring.choose_enrolment(operator, payout)
        view = _register(found, signer, enrolment)
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
    from client.node.accounts import find_nodes  # noqa: PLC0415
    from client.node.operating import change_payout  # noqa: PLC0415
    from ledger.hexadecimal import parse_address, to_address  # noqa: PLC0415

    target = parse_address(address, "ADDRESS")
    with _operate(coordinator, keystore, rpc, passphrase_file) as (found, sender, gateway):
        for member in find_nodes(found.home, node):
            mined = change_payout(gateway, sender, member, target)
            _print_mined({"node": to_address(member), "payout": to_address(target)}, mined.hash, as_json=as_json)


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
    from client.node.rotation import finish_rotation, prepare_rotation  # noqa: PLC0415
    from client.node.wallets import Keyring  # noqa: PLC0415
    from client.output import format_time  # noqa: PLC0415
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    with _operate(coordinator, keystore, rpc, passphrase_file) as (found, sender, gateway):
        if complete:
            done = finish_rotation(found.home, gateway, sender)
            facts = {"node": to_address(done.successor), "replaced": to_address(done.node)}
            _print_mined(facts, done.transaction, as_json=as_json)
            return
        settings, _ = start()
        keyring = Keyring(found.home, settings, passphrase_file)

        def register(signer: Signer, enrolment: Enrolment) -> None:
            _register(found, signer, enrolment)

        done = prepare_rotation(found.home, keyring, gateway, sender, register)
        facts = {
            "node": to_address(done.node),
            "successor": to_address(done.successor),
            "due": format_time(done.due_at),
        }
        _print_mined(facts, done.transaction, as_json=as_json)


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The zip to write.")], as_json: JsonOption = False
) -> None:
    """Write wallets (still encrypted), journal and pins to a zip.

    To restore, unzip it into an empty TALLY_HOME before any node runs there; the passphrases stay the same. Never run
    two machines from one backup: a node that signs two contributions for one round can lose its stake.
    """
    from client.node.backup import RESTORE, save_backup  # noqa: PLC0415
    from client.output import print_json  # noqa: PLC0415

    _, home = start()
    names = save_backup(home, target)
    if as_json:
        print_json({"file": str(target), "holds": names})
        return
    typer.echo(f"{target} holds {', '.join(names)}.\n{RESTORE}")


def _register(found: Contact, signer: Signer, enrolment: Enrolment) -> NodeView:
    """Registers one node and waits until the chain has it."""
    import asyncio  # noqa: PLC0415
    import time  # noqa: PLC0415

    from client import read_version  # noqa: PLC0415
    from client.api import AsyncApi  # noqa: PLC0415
    from client.node.joining import PatientTeller, ensure_registered  # noqa: PLC0415

    async def main() -> NodeView:
        async with AsyncApi(found.url) as api:
            views = await ensure_registered(
                api, found.pin, [signer], enrolment, version=read_version(), now=time.time, tell=PatientTeller()
            )
        return views[0]

    return asyncio.run(main())


@contextmanager
def _operate(
    coordinator: str | None, keystore: Path | None, rpc: str | None, passphrase_file: Path | None
) -> Iterator[tuple[Contact, Sender, Gateway]]:
    """The coordinator, the operator's sender and the chain it sends to."""
    from client.chain import choose_rpc, connect_chain  # noqa: PLC0415
    from client.node.wallets import Keyring  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415

    settings, found = contact(coordinator)
    keyring = Keyring(found.home, settings, passphrase_file)
    signer = keyring.unlock(keystore or found.home.operator_wallet, "operator wallet")
    with connect_chain(choose_rpc(rpc or settings.rpc, found.info), found.pin, found.info.start_block) as gateway:
        yield found, Sender(gateway, signer), gateway


def _print_mined(facts: dict[str, str], transaction: bytes | None, *, as_json: bool) -> None:
    from client.output import print_json, print_pairs  # noqa: PLC0415
    from ledger.hexadecimal import to_hex  # noqa: PLC0415

    hashed = None if transaction is None else to_hex(transaction)
    if as_json:
        print_json({**facts, "transaction": hashed})
    else:
        print_pairs({**facts, "transaction": hashed or "none: an earlier call had sent it"})
