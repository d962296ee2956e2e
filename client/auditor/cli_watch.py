"""`tally audit watch`."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.auditor.unfinished import unfinished_is_not_checked
from client.options import CoordinatorOption, PassphraseOption, RpcOption, start

if TYPE_CHECKING:
    from client.auditor.watch.watchtower import Tower

DEFAULT_METRICS = "127.0.0.1:9477"

WatchedJobs = Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids of the jobs.", show_default=False)]


def watch(  # noqa: PLR0913, PLR0917 -- a command's options are its parameters
    jobs: WatchedJobs,
    challenge: Annotated[
        bool, typer.Option("--challenge", help="Send proofs of what is false, and demand what is withheld.")
    ] = False,
    wallet: Annotated[
        Path | None,
        typer.Option("--wallet", metavar="FILE", help="Keystore that pays the gas, and signs in as an auditor."),
    ] = None,
    passphrase_file: PassphraseOption = None,
    receipts: Annotated[
        list[Path] | None,
        typer.Option(
            "--receipts", metavar="FILE", help="Promises that nodes hold, as `tally node receipts` writes them."
        ),
    ] = None,
    coordinator: CoordinatorOption = None,
    rpc: RpcOption = None,
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", metavar="ADDRESS", help="The JobLedger that you trust, else the one you pinned."),
    ] = None,
    chain_id: Annotated[
        int | None,
        typer.Option("--chain-id", min=1, help="The chain that you trust, else the one your provider serves."),
    ] = None,
    from_block: Annotated[
        int | None,
        typer.Option("--from-block", min=0, help="Where to begin reading events, else where the coordinator says."),
    ] = None,
    recompute: Annotated[
        bool, typer.Option("--recompute/--no-recompute", help="Recompute screening, models, gradients and scores.")
    ] = True,
    demands: Annotated[
        int, typer.Option("--demands", min=0, help="Demands of one round that may wait for an answer at once.")
    ] = 8,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two looks at the chain.")] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Look until nothing is left to do for now, then end.")] = False,
    metrics: Annotated[
        str, typer.Option("--metrics", metavar="[HOST:]PORT", help="Where /metrics is served; none for nowhere.")
    ] = DEFAULT_METRICS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Follow jobs on the chain, verify each round within its window, and prove what is false.

    Keeps its place in TALLY_HOME: a restart goes on where it was, and sends nothing twice.
    """
    from client.auditor.policy import choose_policy  # noqa: PLC0415 -- --help must not wait for these
    from client.auditor.reading import parse_job  # noqa: PLC0415
    from client.auditor.watch.equipping import Order, equip  # noqa: PLC0415
    from client.contact import choose_coordinator  # noqa: PLC0415
    from client.errors import UsageRefused  # noqa: PLC0415
    from client.passphrase import read_passphrase  # noqa: PLC0415
    from client.wallet import unlock_wallet  # noqa: PLC0415

    settings, home = start()
    with unfinished_is_not_checked():
        provider = rpc or settings.rpc
        if not provider:
            raise UsageRefused("which chain? Give --rpc URL of a provider that you trust, or set TALLY_RPC")
        passphrase = None if wallet is None else read_passphrase(settings, passphrase_file, new=False)
        order = Order(
            jobs=[parse_job(job) for job in dict.fromkeys(jobs)],
            coordinator=choose_coordinator(coordinator, settings),
            rpc=provider,
            policy=choose_policy(home, ledger, chain_id),
            start_block=from_block,
            recompute=recompute,
            challenge=challenge,
            signer=None if wallet is None or passphrase is None else unlock_wallet(wallet, passphrase),
            receipts=receipts or (),
            demands=demands,
            as_json=as_json,
        )
        with equip(order, home) as tower:
            _run(tower, every, metrics if not once else "none", once=once)
    raise typer.Exit(tower.exit_code)


def _run(tower: Tower, every: float, metrics: str, *, once: bool) -> None:
    from contextlib import nullcontext  # noqa: PLC0415

    from client.auditor.watch.metrics import serve_metrics  # noqa: PLC0415

    served = nullcontext("") if metrics == "none" else serve_metrics(tower, metrics)
    stop = threading.Event()
    with served as url:
        if url:
            typer.echo(f"metrics at {url}", err=True)
        if once:
            tower.run_once()
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        tower.run(stop, every)
