"""`tally-coordinator`: set up a coordinator, serve its API, run its worker. Heavy imports stand in the commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.edge import report

if TYPE_CHECKING:
    from coordinator.settings import CoordinatorSettings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run federated learning rounds whose every payment can be checked.",
)

DataDir = Annotated[Path | None, typer.Option(help="Folder that holds everything: key, database, files.")]
DeploymentFile = Annotated[Path | None, typer.Option(help="The file that `tally-chain deploy` wrote.")]
RpcUrl = Annotated[str | None, typer.Option(help="Address of the chain's RPC provider.")]
Dev = Annotated[bool, typer.Option("--dev", help="Allow what is unsafe where others can reach it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print results as JSON.")]


@app.command()
def init(data_dir: DataDir = None, dev: Dev = False, as_json: AsJson = False) -> None:
    """Create the coordinator's key and database; nothing that exists is touched.

    The passphrase comes from TALLY_COORDINATOR_PASSPHRASE or TALLY_COORDINATOR_PASSPHRASE_FILE.
    """
    from coordinator.setup import set_up  # noqa: PLC0415  heavy

    settings = _load(data_dir=data_dir, dev=dev or None)
    _print(set_up(settings), as_json=as_json)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    public_url: Annotated[str | None, typer.Option(help="Where clients reach this coordinator.")] = None,
    data_dir: DataDir = None,
    deployment: DeploymentFile = None,
    rpc_url: RpcUrl = None,
    worker: Annotated[bool, typer.Option(help="Run the worker in this process too.")] = True,
    dev: Dev = False,
) -> None:
    """Serve the API until interrupted; killed at any instant, it goes on where it was."""
    from coordinator.processes import serve_api  # noqa: PLC0415  heavy

    serve_api(
        _load(
            host=host,
            port=port,
            public_url=public_url,
            data_dir=data_dir,
            deployment=deployment,
            rpc_url=rpc_url,
            worker=None if worker else False,
            dev=dev or None,
        )
    )


@app.command()
def worker(
    data_dir: DataDir = None, deployment: DeploymentFile = None, rpc_url: RpcUrl = None, dev: Dev = False
) -> None:
    """Run the worker alone: rounds, models and settlement of an API that runs with --no-worker."""
    from coordinator.processes import run_worker  # noqa: PLC0415  heavy

    run_worker(_load(data_dir=data_dir, deployment=deployment, rpc_url=rpc_url, dev=dev or None))


@app.command()
def deposit(
    amount: Annotated[str, typer.Argument(metavar="TOKENS", help="How many tokens.")],
    data_dir: DataDir = None,
    deployment: DeploymentFile = None,
    rpc_url: RpcUrl = None,
    dev: Dev = False,
    as_json: AsJson = False,
) -> None:
    """Deposit tokens in the job ledger: the bonds of accepted jobs are locked from them. Stop the worker first."""
    from coordinator import funds  # noqa: PLC0415  heavy

    settings = _load(data_dir=data_dir, deployment=deployment, rpc_url=rpc_url, dev=dev or None)
    _print_money(funds.deposit(settings, amount), as_json=as_json)


@app.command()
def withdraw(
    amount: Annotated[str, typer.Argument(metavar="TOKENS", help="How many tokens.")],
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who gets them.")],
    data_dir: DataDir = None,
    deployment: DeploymentFile = None,
    rpc_url: RpcUrl = None,
    dev: Dev = False,
    as_json: AsJson = False,
) -> None:
    """Take free funds out of the job ledger: deposits, and bonds whose jobs are over. Stop the worker first."""
    from coordinator import funds  # noqa: PLC0415  heavy
    from ledger.hexadecimal import parse_address  # noqa: PLC0415  heavy

    settings = _load(data_dir=data_dir, deployment=deployment, rpc_url=rpc_url, dev=dev or None)
    _print_money(funds.withdraw(settings, amount, parse_address(to, "ADDRESS")), as_json=as_json)


@app.command()
def collect(
    data_dir: DataDir = None,
    deployment: DeploymentFile = None,
    rpc_url: RpcUrl = None,
    dev: Dev = False,
    as_json: AsJson = False,
) -> None:
    """Draw from the court what answered demands brought, to the coordinator's own address. Stop the worker first."""
    from coordinator import funds  # noqa: PLC0415  heavy

    settings = _load(data_dir=data_dir, deployment=deployment, rpc_url=rpc_url, dev=dev or None)
    _print_money(funds.collect(settings), as_json=as_json)


@app.command()
def close(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")],
    data_dir: DataDir = None,
    deployment: DeploymentFile = None,
    rpc_url: RpcUrl = None,
    dev: Dev = False,
    as_json: AsJson = False,
) -> None:
    """Ask for the end of a job, as its requester can: to get the bond back where nobody comes any more.

    The requester gets what is left of the escrow. The worker, stopped for this, does the rest once it runs again.
    """
    from coordinator import funds  # noqa: PLC0415  heavy
    from ledger.hexadecimal import parse_hex  # noqa: PLC0415  heavy

    settings = _load(data_dir=data_dir, deployment=deployment, rpc_url=rpc_url, dev=dev or None)
    _print(funds.close(settings, parse_hex(job, 32, "JOB")), as_json=as_json)


@app.command()
def funds(
    data_dir: DataDir = None,
    deployment: DeploymentFile = None,
    rpc_url: RpcUrl = None,
    dev: Dev = False,
    as_json: AsJson = False,
) -> None:
    """Show the coordinator's coin for gas, its tokens, and its free funds in the ledger; with --json in base units."""
    from coordinator import funds as money  # noqa: PLC0415  heavy

    settings = _load(data_dir=data_dir, deployment=deployment, rpc_url=rpc_url, dev=dev or None)
    _print_money(money.show(settings), as_json=as_json)


def main() -> None:
    """Run one command; every known error becomes one sentence and an exit code."""
    try:
        app(prog_name="tally-coordinator")
    except Exception as error:  # noqa: BLE001  the program's edge: nothing may reach a person as a traceback
        sys.exit(report(error, as_json="--json" in sys.argv))


def _print_money(result: Mapping[str, str], *, as_json: bool) -> None:
    from coordinator.funds import describe  # noqa: PLC0415  heavy

    _print(result if as_json else describe(result), as_json=as_json)


def _print(result: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(result) + "\n")
        return
    for name, value in result.items():
        sys.stdout.write(f"{name:<13}{value}\n")


def _load(**options: object) -> CoordinatorSettings:
    from coordinator.logs import configure_logs  # noqa: PLC0415  heavy
    from coordinator.settings import load_settings  # noqa: PLC0415  heavy

    settings = load_settings(**options)
    configure_logs(settings)
    return settings


if __name__ == "__main__":
    main()
