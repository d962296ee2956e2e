"""`tally node earnings`, `claim` and `explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.node.cli_status import NodeOption
from client.options import CoordinatorOption, JsonOption, PassphraseOption, RpcOption, contact

if TYPE_CHECKING:
    from client.contact import Contact
    from client.money import Token
    from client.node.operator.claiming import Paid
    from client.settings import ClientSettings
    from client.tokens import Unit
    from contracts.gateway import Gateway
    from ledger.signatures import Signer
    from ledger.statements import Terms

KeyOption = Annotated[
    Path | None,
    typer.Option("--keystore", metavar="FILE", help="Wallet that pays with --own-gas; else the operator's here."),
]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, 0x….")]


def earnings(
    coordinator: CoordinatorOption = None, node: NodeOption = None, rpc: RpcOption = None, as_json: JsonOption = False
) -> None:
    """Show what your nodes have earned, job by job.

    Each sum comes from an entry whose proof and header signature are verified here. With --rpc the chain is asked
    whether it keeps that header, and how much has been claimed.
    """
    from client.node.operator.accounts import fetch_accounts, find_nodes  # noqa: PLC0415
    from client.output import print_json, print_table  # noqa: PLC0415
    from client.tokens import TokenBook  # noqa: PLC0415
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    gateway = _connect(settings, found, rpc)
    accounts = fetch_accounts(found, find_nodes(found.home, node), gateway)
    if as_json:
        print_json([account.to_json() for account in accounts])
        return
    if not accounts:
        typer.echo("No node of this TALLY_HOME has an entry yet: one comes with the first round it takes part in.")
        return
    columns, rows = ["node", "job", "last round", "earned", "final", "claimed", "claimable"], []
    book = TokenBook(found, rpc or settings.rpc)
    for account in accounts:
        unit = book.find_job_unit(account.job)
        sums = (account.earned, account.final, account.claimed, account.claimable)
        rows.append([to_address(account.node), account.title, str(account.last_round), *map(unit.shorten, sums)])
    confirmed = "anchors confirmed on chain" if gateway else "signed by the coordinator; --rpc asks the chain too"
    print_table(f"Earnings ({confirmed})", columns, rows)


def claim(
    coordinator: CoordinatorOption = None,
    node: NodeOption = None,
    own_gas: Annotated[
        bool, typer.Option("--own-gas", help="Send the transaction from your own wallet instead of the relay.")
    ] = False,
    without_coordinator: Annotated[
        bool,
        typer.Option("--without-coordinator", help="Use the entries kept here and the chain alone, with your own gas."),
    ] = False,
    keystore: KeyOption = None,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw what your nodes have earned in final rounds, to their payout addresses and nowhere else.

    The coordinator pays the gas unless you say --own-gas. Claiming twice pays once.
    """
    from client.output import print_json  # noqa: PLC0415
    from ledger.hexadecimal import to_address, to_hex  # noqa: PLC0415

    if without_coordinator:
        paid = _claim_alone(coordinator, node, keystore, rpc, passphrase_file)
    else:
        paid = _claim(coordinator, node, keystore, rpc, passphrase_file, own_gas=own_gas)
    if as_json:
        print_json([item.to_json() for item, _ in paid])
        return
    if not paid:
        typer.echo(
            "There is nothing to claim: these nodes have earned nothing in final rounds yet, or all of it has been "
            "drawn. `tally node earnings` shows which."
        )
    for item, unit in paid:
        typer.echo(f"{to_address(item.node)} was paid {unit.write(item.amount)} for job {to_hex(item.job)}")


def explain(
    job: JobArgument,
    round_number: Annotated[int, typer.Argument(metavar="ROUND", min=1, help="The round, from 1.")],
    coordinator: CoordinatorOption = None,
    node: NodeOption = None,
    rpc: RpcOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell why a node was paid what it was for a round, from signed data alone.

    With --rpc the chain is asked for the token's decimals, and how much has been claimed.
    """
    import time  # noqa: PLC0415

    from client import calls  # noqa: PLC0415
    from client.errors import UsageRefused  # noqa: PLC0415
    from client.node.operator.accounts import EntryReader, fetch_reason, find_nodes  # noqa: PLC0415
    from client.node.operator.explanation import PaidEntry  # noqa: PLC0415
    from client.output import print_json  # noqa: PLC0415
    from ledger.errors import VerificationError  # noqa: PLC0415
    from ledger.hexadecimal import parse_hex  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    nodes = find_nodes(found.home, node)
    if len(nodes) != 1:
        raise UsageRefused(f"this TALLY_HOME has run {len(nodes)} nodes: say which with --node")
    job_id, now = parse_hex(job, 32, "JOB"), int(time.time())
    terms = found.api.fetch(calls.job(job_id)).terms
    if terms.job_id() != job_id:
        raise VerificationError("job-id", "the terms are those of another job", job_id, terms.job_id())
    view, entry = EntryReader(found, whole_rounds=False).read(job_id, round_number, nodes[0])
    token, drawn = _ask_chain(_connect(settings, found, rpc), found, terms, nodes[0])
    reason = fetch_reason(found, view, entry)
    paid = PaidEntry(entry, view.header.statement, terms, view.anchor, token, drawn, reason)
    if as_json:
        print_json(paid.to_json(now))
        return
    for line in paid.explain(now):
        typer.echo(line)


def _ask_chain(gateway: Gateway | None, found: Contact, terms: Terms, node: bytes) -> tuple[Token | None, int | None]:
    """How the job's token is shown, and what the node has drawn, where a chain was named."""
    from client.chain import fetch_token  # noqa: PLC0415
    from client.money import Token  # noqa: PLC0415
    from client.tokens import TokenBook  # noqa: PLC0415

    if gateway is None:
        decimals = TokenBook(found, None).find_unit(terms.token).decimals
        return (None if decimals is None else Token(decimals)), None
    with gateway:
        drawn = gateway.fetch_claimed(terms.job_id(), node)
        return fetch_token(gateway, terms.token), drawn


def _claim(
    coordinator: str | None,
    node: str | None,
    keystore: Path | None,
    rpc: str | None,
    passphrase_file: Path | None,
    *,
    own_gas: bool,
) -> list[tuple[Paid, Unit]]:
    import time  # noqa: PLC0415

    from client.chain import choose_rpc, connect_chain  # noqa: PLC0415
    from client.identity import Identity  # noqa: PLC0415
    from client.node.operator.accounts import fetch_accounts, find_nodes  # noqa: PLC0415
    from client.node.operator.claiming import explain_waiting, relay_claims, send_claims  # noqa: PLC0415
    from client.tokens import TokenBook  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415

    settings, found = contact(coordinator)
    book = TokenBook(found, rpc or settings.rpc)
    gateway = _connect(settings, found, rpc)
    accounts = fetch_accounts(found, find_nodes(found.home, node), gateway)
    due = [account for account in accounts if account.claimable]
    if not due:
        if any(account.earned > account.final for account in accounts):
            raise explain_waiting(found, accounts, book, int(time.time()))
        return []
    signer = _unlock_any(settings, found, keystore, passphrase_file, own_gas=own_gas)
    if not own_gas:
        relayed = relay_claims(found, Identity(found.api, signer, found.pin.chain_id), due)
        return [(item, book.find_job_unit(item.job)) for item in relayed]
    url = choose_rpc(rpc or settings.rpc, found.info)
    with gateway or connect_chain(url, found.pin, found.info.start_block) as chain:
        sent = send_claims(found, chain, Sender(chain, signer), due)
    return [(item, book.find_job_unit(item.job)) for item in sent]


def _claim_alone(
    coordinator: str | None, node: str | None, keystore: Path | None, rpc: str | None, passphrase_file: Path | None
) -> list[tuple[Paid, Unit]]:
    from client.chain import connect_chain  # noqa: PLC0415
    from client.contact import choose_coordinator  # noqa: PLC0415
    from client.errors import UsageRefused  # noqa: PLC0415
    from client.node.operator.accounts import find_nodes  # noqa: PLC0415
    from client.node.operator.claiming import claim_without_coordinator  # noqa: PLC0415
    from client.node.operator.wallets import Keyring  # noqa: PLC0415
    from client.node.records.archive import Archive  # noqa: PLC0415
    from client.node.records.database import Database  # noqa: PLC0415
    from client.options import start  # noqa: PLC0415
    from client.pins import load_pins  # noqa: PLC0415
    from client.transport import check_url  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415

    settings, home = start()
    url = check_url(choose_coordinator(coordinator, settings))
    pins, provider = load_pins(home.pins), rpc or settings.rpc
    if url not in pins:
        raise UsageRefused(f"{url} was never pinned in this TALLY_HOME: there is nothing to claim from")
    if provider is None:
        raise UsageRefused("without the coordinator the chain must be named: give --rpc")
    signer = Keyring(home, settings, passphrase_file).unlock(keystore or home.operator_wallet, "paying wallet")
    database = Database(home.journal)
    try:
        with connect_chain(provider, pins[url]) as gateway:
            nodes = find_nodes(home, node)
            sender = Sender(gateway, signer)
            paid = claim_without_coordinator(pins[url], Archive(database), gateway, sender, nodes)
            return [(item, _ask_unit(gateway, item.job)) for item in paid]
    finally:
        database.close()


def _ask_unit(gateway: Gateway, job: bytes) -> Unit:
    from client.tokens import Unit, ask_unit  # noqa: PLC0415

    state = gateway.fetch_job(job)
    return Unit(None) if state is None else ask_unit(gateway, state.token)


def _unlock_any(
    settings: ClientSettings, found: Contact, keystore: Path | None, passphrase_file: Path | None, *, own_gas: bool
) -> Signer:
    """The wallet that pays with --own-gas; for the relay, which needs to know who asks, any wallet that is here."""
    from client.node.operator.wallets import Keyring  # noqa: PLC0415

    home, keyring = found.home, Keyring(found.home, settings, passphrase_file)
    if own_gas or keystore is not None:
        return keyring.unlock(keystore or home.operator_wallet, "paying wallet")
    if home.node_wallet.exists() or not home.fleet_seed.exists():
        return keyring.unlock(home.node_wallet, "node wallet")
    return keyring.unlock_first(home.fleet_seed)


def _connect(settings: ClientSettings, found: Contact, rpc: str | None) -> Gateway | None:
    from client.chain import connect_chain  # noqa: PLC0415

    url = rpc or settings.rpc
    return None if url is None else connect_chain(url, found.pin, found.info.start_block)
