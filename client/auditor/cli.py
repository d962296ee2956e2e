"""`tally audit`: verify jobs and payments, explain entries, pin what is trusted.

Exit codes: 0 all required checks passed, 1 a contradiction, 2 wrong use, 3 could not check.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.auditor.cli_watch import watch
from client.auditor.cli_withdraw import withdraw
from client.auditor.unfinished import unfinished_is_not_checked
from client.options import CoordinatorOption, JsonOption, PassphraseOption, RpcOption, start

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from client.auditor.connecting import Connection
    from client.home import Home
    from client.settings import ClientSettings
    from ledger.signatures import Signer

LedgerOption = Annotated[
    str | None,
    typer.Option("--ledger", metavar="ADDRESS", help="The JobLedger that you trust, else the one you pinned."),
]
ChainOption = Annotated[
    int | None, typer.Option("--chain-id", min=1, help="The chain that you trust, else the one your provider serves.")
]
BlockHashOption = Annotated[
    str | None,
    typer.Option(
        "--block-hash", metavar="HASH", help="Hash of the block a bundle tells of, from a provider that you trust."
    ),
]
BlockOption = Annotated[
    int | None,
    typer.Option("--from-block", min=0, help="Where to begin reading events, else where the coordinator says."),
]
WalletOption = Annotated[
    Path | None,
    typer.Option("--wallet", metavar="FILE", help="Keystore to sign in with, where only listed auditors may read."),
]
Job = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]

app = typer.Typer(
    help="Verify rounds, payments and models without trusting anyone.\n\n"
    "Exit codes: 0 all required checks passed, 1 a contradiction, 2 wrong use, 3 could not check.",
    no_args_is_help=True,
)

app.command()(watch)
app.command()(withdraw)


@app.command()
def verify(  # noqa: PLR0913, PLR0917 -- a command's options are its parameters
    job: Annotated[str, typer.Argument(metavar="JOB|FILE", help="The job's id; with --offline a bundle.")],
    coordinator: CoordinatorOption = None,
    rpc: RpcOption = None,
    ledger: LedgerOption = None,
    chain_id: ChainOption = None,
    rounds: Annotated[
        str | None,
        typer.Option("--rounds", metavar="A-B", help="Only these; earlier ones are taken as published."),
    ] = None,
    recompute: Annotated[
        bool, typer.Option("--recompute/--no-recompute", help="Recompute screening, models, gradients and scores.")
    ] = True,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads for signatures and downloads.")] = 2,
    offline: Annotated[bool, typer.Option("--offline", help="Verify a bundle; no connection is opened.")] = False,
    block_hash: BlockHashOption = None,
    chain: Annotated[
        bool, typer.Option("--chain/--no-chain", help="Whether what only the chain answers is required (--offline).")
    ] = True,
    from_block: BlockOption = None,
    wallet: WalletOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a job or a bundle: every signature, entry, proof, anchor and claim, and the learning recomputed."""
    from client.auditor.auditing import audit  # noqa: PLC0415 -- --help must not wait for these
    from client.auditor.offline import open_bundle, verify_online  # noqa: PLC0415
    from client.auditor.reading import parse_job, parse_rounds  # noqa: PLC0415
    from client.auditor.scope import Scope  # noqa: PLC0415
    from client.auditor.screen import ProgressBar, print_report  # noqa: PLC0415
    from client.output import print_json  # noqa: PLC0415

    settings, home = start()
    with unfinished_is_not_checked():
        scope = Scope(*parse_rounds(rounds), recompute, threads, chain)
        if offline:
            with open_bundle(Path(job), home, ledger, chain_id, block_hash) as opened, ProgressBar() as progress:
                report = audit(opened.job, opened.sources, scope, progress)
        else:
            verify_online(job, block_hash, chain)
            wanted, signer = parse_job(job), _unlock(settings, wallet, passphrase_file)
            with _connect(settings, home, coordinator, rpc, ledger, chain_id, from_block, signer) as connection:
                with ProgressBar() as progress:
                    report = audit(wanted, connection.sources, scope, progress)
                report = report.quote(connection.said)
        if as_json:
            print_json(report.to_json())
        else:
            print_report(report)
    raise typer.Exit(report.exit_code)


@app.command()
def explain(  # noqa: PLR0913, PLR0917 -- a command's options are its parameters
    job: Job,
    number: Annotated[int, typer.Argument(metavar="ROUND", min=1, help="The round's number.")],
    node: Annotated[str, typer.Argument(metavar="NODE", help="The node's address.")],
    coordinator: CoordinatorOption = None,
    rpc: RpcOption = None,
    ledger: LedgerOption = None,
    chain_id: ChainOption = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="FILE", help="Explain from a bundle; no connection is opened.")
    ] = None,
    block_hash: BlockHashOption = None,
    from_block: BlockOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a node was paid this in a round, from signed data alone."""
    from client.auditor.explaining import explain as explain_entry  # noqa: PLC0415
    from client.auditor.offline import open_bundle  # noqa: PLC0415
    from client.auditor.reading import parse_job, parse_node  # noqa: PLC0415
    from client.output import print_json  # noqa: PLC0415

    settings, home = start()
    wanted, who = parse_job(job), parse_node(node)
    with unfinished_is_not_checked(contradicts=True):
        if bundle is not None:
            with open_bundle(bundle, home, ledger, chain_id, block_hash) as opened:
                explanation = explain_entry(wanted, number, who, opened.sources)
        else:
            with _connect(settings, home, coordinator, rpc, ledger, chain_id, from_block, None) as connection:
                explanation = explain_entry(wanted, number, who, connection.sources)
    if as_json:
        print_json(explanation.to_json())
    else:
        typer.echo("\n".join(explanation.lines))


@app.command()
def bundle(  # noqa: PLR0913, PLR0917 -- a command's options are its parameters
    job: Job,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The bundle to write.")],
    coordinator: CoordinatorOption = None,
    rpc: RpcOption = None,
    ledger: LedgerOption = None,
    chain_id: ChainOption = None,
    payloads: Annotated[bool, typer.Option("--payloads", help="With the updates, to recompute the learning.")] = False,
    proof: Annotated[
        bool, typer.Option("--proof/--no-proof", help="With the chain's own proof (eth_getProof) of every anchor.")
    ] = True,
    block: Annotated[int | None, typer.Option("--block", min=0, help="As of this block, else the newest.")] = None,
    from_block: BlockOption = None,
    wallet: WalletOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write everything that an audit of a job needs into one file, to be verified offline."""
    from client.auditor.bundling import write_bundle  # noqa: PLC0415
    from client.auditor.offline import report_bundle  # noqa: PLC0415
    from client.auditor.reading import parse_job  # noqa: PLC0415
    from client.auditor.screen import ProgressBar  # noqa: PLC0415

    settings, home = start()
    with unfinished_is_not_checked():
        wanted, signer = parse_job(job), _unlock(settings, wallet, passphrase_file)
        with (
            _connect(settings, home, coordinator, rpc, ledger, chain_id, from_block, signer) as connection,
            ProgressBar() as progress,
        ):
            chain = connection.read_chain(wanted, block, prove=proof)
            source = connection.sources.evidence
            written = write_bundle(wanted, output, source, chain, payloads=payloads, watcher=progress)
    raise typer.Exit(report_bundle(written, as_json=as_json))


@app.command()
def pin(
    ledger: Annotated[str, typer.Argument(metavar="LEDGER", help="Address of the JobLedger that you trust.")],
    chain_id: Annotated[int, typer.Argument(metavar="CHAIN", min=1, help="Id of the chain it lives on.")],
    code_hash: Annotated[
        str | None,
        typer.Option("--code-hash", metavar="HASH", help="keccak256 of the ledger's code, else this version's code."),
    ] = None,
    coordinator: Annotated[
        str | None, typer.Option("--coordinator", metavar="ADDRESS", help="The only coordinator that you trust.")
    ] = None,
    finalized: Annotated[
        bool, typer.Option("--finalized", help="Read the chain at its newest final block, not at its newest.")
    ] = False,
) -> None:
    """Remember which chain and ledger you trust; get both from someone other than the coordinator."""
    from client.auditor.policy import Policy  # noqa: PLC0415
    from client.auditor.reading import parse_hash, parse_node  # noqa: PLC0415

    _, home = start()
    path = Policy(
        chain_id,
        parse_node(ledger),
        None if code_hash is None else parse_hash(code_hash, "--code-hash"),
        None if coordinator is None else parse_node(coordinator),
        finalized,
    ).save(home)
    typer.echo(f"{path}: from now on audits trust this ledger unless told otherwise")


def _connect(
    settings: ClientSettings,
    home: Home,
    coordinator: str | None,
    rpc: str | None,
    ledger: str | None,
    chain_id: int | None,
    from_block: int | None,
    signer: Signer | None,
) -> AbstractContextManager[Connection]:
    from client.auditor.connecting import connect  # noqa: PLC0415
    from client.auditor.policy import choose_policy  # noqa: PLC0415
    from client.contact import StderrRemarks, choose_coordinator  # noqa: PLC0415
    from client.errors import UsageRefused  # noqa: PLC0415

    provider = rpc or settings.rpc
    if not provider:
        raise UsageRefused("which chain? Give --rpc URL of a provider that you trust, or set TALLY_RPC")
    policy = choose_policy(home, ledger, chain_id)
    return connect(
        choose_coordinator(coordinator, settings),
        provider,
        policy,
        signer=signer,
        start_block=from_block,
        remarks=StderrRemarks(),
    )


def _unlock(settings: ClientSettings, wallet: Path | None, passphrase_file: Path | None) -> Signer | None:
    if wallet is None:
        return None
    from client.passphrase import read_passphrase  # noqa: PLC0415
    from client.wallet import unlock_wallet  # noqa: PLC0415

    return unlock_wallet(wallet, read_passphrase(settings, passphrase_file, new=False))
