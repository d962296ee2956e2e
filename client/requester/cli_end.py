"""`tally job close`."""

from __future__ import annotations

import typer

from client.options import CoordinatorOption, JsonOption, PassphraseOption, RpcOption, contact
from client.requester.cli_create import WalletOption
from client.requester.cli_show import JobArgument


def close(
    job: JobArgument,
    keystore: WalletOption = None,
    coordinator: CoordinatorOption = None,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a job and take back what was not earned.

    A job whose last round is final is closed at once. Else the close is requested first, and takes effect after the
    delay that protects the nodes: run this again then. Nothing that nodes have earned is touched.
    """
    from client.chain import choose_rpc, connect_chain  # noqa: PLC0415
    from client.output import format_amount, print_json  # noqa: PLC0415
    from client.passphrase import read_passphrase  # noqa: PLC0415
    from client.requester.ending import close_job  # noqa: PLC0415
    from client.wallet import read_address, unlock_wallet  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415
    from ledger.hexadecimal import parse_hex, to_hex  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    path = keystore or found.home.requester_wallet
    read_address(path)
    signer = unlock_wallet(path, read_passphrase(settings, passphrase_file, new=False, what="requester wallet"))
    url = choose_rpc(rpc or settings.rpc, found.info)
    with connect_chain(url, found.pin, found.info.start_block) as gateway:
        done = close_job(gateway, Sender(gateway, signer), parse_hex(job, 32, "JOB"))
        refunded = format_amount(done.refunded, gateway.fetch_decimals(done.token))
    if as_json:
        transaction = None if done.transaction is None else to_hex(done.transaction)
        print_json(
            {"step": done.step, "detail": done.detail, "refunded": str(done.refunded), "transaction": transaction}
        )
        return
    typer.echo(done.detail + (f": {refunded} tokens" if done.refunded else ""))
