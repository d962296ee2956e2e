"""`tally job create`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from client.options import CoordinatorOption, JsonOption, PassphraseOption, RpcOption, contact

if TYPE_CHECKING:
    from client.contact import Contact
    from client.requester.opening import Funds
    from client.requester.plan import JobPlan
    from client.settings import ClientSettings
    from client.tokens import Unit
    from contracts.gateway import Gateway
    from ledger.signatures import Signer
    from ledger.spec import JobSpec

WalletOption = Annotated[
    Path | None,
    typer.Option(
        "--keystore", metavar="FILE", help="The requester's wallet; else the one in TALLY_HOME, made if missing."
    ),
]


def create(  # noqa: PLR0913, PLR0917 -- a command's options are its parameters
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The job as TOML or JSON.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="What the job is called.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="Task by its installed name, such as recommender.")] = None,
    initial_model: Annotated[
        Path | None,
        typer.Option("--initial-model", metavar="FILE", help="Model to start from, else a new one."),
    ] = None,
    validation: Annotated[
        Path | None,
        typer.Option("--validation", metavar="FILE", help="Examples that decide pay."),
    ] = None,
    holdout: Annotated[
        Path | None, typer.Option("--holdout", metavar="FILE", help="Examples that are only reported on.")
    ] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", min=1, help="How many rounds.")] = None,
    budget: Annotated[
        str | None, typer.Option("--budget-per-round", metavar="TOKENS", help="The most that a round pays.")
    ] = None,
    price: Annotated[
        str | None,
        typer.Option("--price-per-nat", metavar="TOKENS", help="Worth of a fall in loss by one nat."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show cost and what would be sent; send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the budget is escrowed.")] = False,
    keystore: WalletOption = None,
    coordinator: CoordinatorOption = None,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a job: agree on it with the coordinator, then escrow its budget on chain.

    The file holds title, task, validation, rounds, budgetPerRound and whatever else shall differ from the task's own
    suggestions; options come before it. The coordinator's signed acceptance is checked before any money moves.
    """
    from client.output import print_json  # noqa: PLC0415
    from client.requester.job_file import load_job_file  # noqa: PLC0415
    from client.requester.opening import verify_funds  # noqa: PLC0415
    from client.requester.plan import plan_job  # noqa: PLC0415

    options = {
        "title": title,
        "task": None if task is None else {"name": task},
        "initialModel": initial_model,
        "validation": validation,
        "holdout": holdout,
        "rounds": rounds,
        "budgetPerRound": budget,
        "pricePerNat": price,
    }
    job = load_job_file(file, options)
    settings, found = contact(coordinator, quiet=as_json)
    requester = _find_requester(settings, found, keystore, passphrase_file)
    with _connect(settings, found, rpc) as gateway:
        decimals = gateway.fetch_decimals(found.pin.token)
        plan = plan_job(job, found.pin, requester, decimals)
        result = _show_plan(gateway, plan, decimals, as_json=as_json)
        if not dry_run:
            verify_funds(gateway, plan)
            if not yes:
                typer.confirm("Escrow the budget and open the job?", err=True, abort=True)
            signer = _unlock(settings, found, keystore, passphrase_file)
            result["transaction"] = _open(found, gateway, signer, plan)
            typer.echo(f"opened: `tally job watch {result['job']}` follows it", err=True)
    if as_json:
        print_json(result)
    else:
        typer.echo(result["job"])


def _open(found: Contact, gateway: Gateway, signer: Signer, plan: JobPlan) -> str:
    from client.identity import Identity  # noqa: PLC0415
    from client.output import create_console  # noqa: PLC0415
    from client.requester.opening import agree, fund  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415
    from ledger.hexadecimal import to_hex  # noqa: PLC0415

    with create_console().status("starting") as status:
        acceptance = agree(found, Identity(found.api, signer, found.pin.chain_id), plan, status.update)
        return to_hex(fund(gateway, Sender(gateway, signer), found.home, plan, acceptance, status.update))


def _show_plan(gateway: Gateway, plan: JobPlan, decimals: int, *, as_json: bool) -> dict[str, Any]:
    """Cost and means, on stderr for people; returns everything for JSON."""
    from client.output import show_text  # noqa: PLC0415
    from client.requester.opening import look_at_funds  # noqa: PLC0415
    from client.tokens import Unit  # noqa: PLC0415

    funds = look_at_funds(gateway, plan)
    if not as_json:
        for line in describe_plan(plan, funds, Unit(decimals)):
            sys.stderr.write(show_text(line) + "\n")
    return {**plan.to_json(), **funds.to_json()}


def describe_plan(plan: JobPlan, funds: Funds, unit: Unit) -> list[str]:
    """The plan for people, line by line: what it costs, what is missing, what to think of."""
    from client.output import format_amount  # noqa: PLC0415
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    terms, spec, cohort = plan.terms, plan.spec, plan.spec.cohort
    budget, free = unit.write(terms.budget_per_round), unit.write(funds.coordinator_free)
    lines = [
        f"{spec.title}: {terms.rounds} rounds of {spec.task.name}, {cohort.minimum} to {cohort.maximum} nodes each",
        f"wallet   {to_address(terms.requester)}, yours: it pays escrow and gas",
        f"escrow   {unit.write(plan.escrow)} tokens, {budget} a round; you have {unit.write(funds.tokens)}",
        f"price    {unit.write(terms.price_per_nat)} tokens for each {_name_measure(spec)}",
        f"bond     {unit.write(terms.bond)} tokens, the coordinator's; it has {free} free",
        f"gas      paid by you; you have {format_amount(funds.coin)} of the chain's coin",
        f"files    {len(plan.files)}, {sum(map(len, plan.files.values()))} bytes",
    ]
    if funds.tokens < plan.escrow:
        lines.append(f"MISSING  {unit.write(plan.escrow - funds.tokens)} tokens for the escrow")
    if funds.coordinator_free < terms.bond:
        missing = unit.write(terms.bond - funds.coordinator_free)
        lines.append(f"MISSING  {missing} tokens in the coordinator's deposit")
    if funds.coin == 0:
        lines.append("MISSING  coin for gas")
    return lines + [f"NOTE     {note}" for note in plan.list_notes()]


def _name_measure(spec: JobSpec) -> str:
    if spec.scoring_rule == "by-weight":
        return "unit of weight"
    return "nat that the validation loss falls"


def _find_requester(
    settings: ClientSettings, found: Contact, keystore: Path | None, passphrase_file: Path | None
) -> bytes:
    """The requester's address; its wallet is made when there is none."""
    from client.passphrase import read_passphrase  # noqa: PLC0415
    from client.wallet import create_wallet, read_address  # noqa: PLC0415

    path = keystore or found.home.requester_wallet
    if keystore is None and not path.exists():
        passphrase = read_passphrase(settings, passphrase_file, new=True, what="requester wallet")
        return create_wallet(path, passphrase, work=settings.keystore_work).address
    return read_address(path)


def _unlock(settings: ClientSettings, found: Contact, keystore: Path | None, passphrase_file: Path | None) -> Signer:
    from client.passphrase import read_passphrase  # noqa: PLC0415
    from client.wallet import unlock_wallet  # noqa: PLC0415

    passphrase = read_passphrase(settings, passphrase_file, new=False, what="requester wallet")
    return unlock_wallet(keystore or found.home.requester_wallet, passphrase)


def _connect(settings: ClientSettings, found: Contact, rpc: str | None) -> Gateway:
    from client.chain import choose_rpc, connect_chain  # noqa: PLC0415

    return connect_chain(choose_rpc(rpc or settings.rpc, found.info), found.pin, found.info.start_block)
