"""`tally node run` and `tally node fleet`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.options import CoordinatorOption, JsonOption, PassphraseOption, RpcOption, contact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.chain import ChainAnchors
    from client.contact import Contact
    from client.node.operator.joining import Enrolment
    from client.node.work.display import Display
    from client.node.work.host import Host
    from client.node.work.running import DataChoice, Outcome
    from client.node.work.training import Trainer
    from client.settings import ClientSettings
    from ledger.signatures import Signer

PlatformOption = Annotated[
    str | None,
    typer.Option("--platform", metavar="URL", help="Platform that keeps your viewers' histories, else TALLY_PLATFORM."),
]
TokenOption = Annotated[
    Path | None,
    typer.Option("--platform-token-file", metavar="FILE", help="File with the platform's access token."),
]
OperatorOption = Annotated[
    str | None,
    typer.Option("--operator", metavar="ADDRESS", help="Who owns the node; a wallet is made here if you name nobody."),
]
PayoutOption = Annotated[
    str | None,
    typer.Option(
        "--payout",
        metavar="ADDRESS",
        help="Where earnings go; to the operator unless you say otherwise, to each node's own address with `node`.",
    ),
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=0, help="Threads for training; 0 leaves it to torch.")]
RoundsOption = Annotated[int | None, typer.Option("--rounds", min=1, help="End after so many rounds.")]
OnceOption = Annotated[bool, typer.Option("--once", help="End after one round.")]
AheadOption = Annotated[
    int | None,
    typer.Option("--max-ahead", min=1, help="Stop while so many rounds wait for their anchor, else TALLY_MAX_AHEAD."),
]
PullOption = Annotated[float, typer.Option("--pull-seconds", min=0, help="Ask the platform not more often than this.")]
_UPDATE = (
    "What is sent: `trained`, an honest update. All else is dishonest, meant to earn nothing, and there to try out a "
    "job's defences: `zero`, `recycled` and more; an unknown name is answered with the list."
)
UpdateOption = Annotated[str, typer.Option("--update", metavar="NAME", help=_UPDATE)]
UpdatesOption = Annotated[
    list[str] | None,
    typer.Option("--update", metavar="NAME", help=f"{_UPDATE} Once for all nodes, or once for each in their order."),
]
_HONESTLY = ("trained",)


def run(  # noqa: PLR0913, PLR0917 -- a command's options are its parameters
    coordinator: CoordinatorOption = None,
    platform: PlatformOption = None,
    platform_token_file: TokenOption = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FILE", help="Train on this file (.safetensors, .json) instead.")
    ] = None,
    operator: OperatorOption = None,
    payout: PayoutOption = None,
    threads: ThreadsOption = 0,
    once: OnceOption = False,
    rounds: RoundsOption = None,
    max_ahead: AheadOption = None,
    pull_seconds: PullOption = 300.0,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    update: UpdateOption = "trained",
    as_json: JsonOption = False,
) -> None:
    """Run this machine's node: make a wallet, register, then train round after round until you stop it.

    Everything is kept under TALLY_HOME. The node signs at most once for each round, keeps its receipts, and after a
    crash goes on where it was. With --rpc it looks for the anchors on chain by itself.
    """
    from client.node.operator.wallets import Keyring  # noqa: PLC0415

    _limit_threads(threads)
    _verify_updates([update], 1)
    settings, found = contact(coordinator, patient=True)
    keyring = Keyring(found.home, settings, passphrase_file)
    choice = _choose_data(settings, platform, platform_token_file, data, pull_seconds)
    with keyring.unlock_node() as signer:
        program = _Program(settings, found, rpc, max_ahead, 1 if once else rounds, threads, [update])
        outcomes = program.run([signer], keyring.choose_enrolment(operator, payout), choice)
    _print(outcomes, as_json=as_json)


def fleet(  # noqa: PLR0913, PLR0917 -- a command's options are its parameters
    count: Annotated[int, typer.Option("--count", min=1, help="How many nodes.")],
    coordinator: CoordinatorOption = None,
    seed_file: Annotated[
        Path | None, typer.Option("--seed-file", metavar="FILE", help="Encrypted seed of the wallets; made if missing.")
    ] = None,
    platform: PlatformOption = None,
    platform_token_file: TokenOption = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help="Train on this folder's files, one a node, instead.")
    ] = None,
    operator: OperatorOption = None,
    payout: PayoutOption = None,
    threads: ThreadsOption = 0,
    once: OnceOption = False,
    rounds: RoundsOption = None,
    max_ahead: AheadOption = None,
    pull_seconds: PullOption = 300.0,
    rpc: RpcOption = None,
    passphrase_file: PassphraseOption = None,
    update: UpdatesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run many nodes in one process: each with its own wallet, registration and data, all from one encrypted seed.

    The token file is a JSON list, or one token a line, in the order of the nodes.
    """
    from client.node.operator.wallets import Keyring  # noqa: PLC0415

    _limit_threads(threads)
    updates = update or _HONESTLY
    _verify_updates(updates, count)
    settings, found = contact(coordinator, patient=True)
    keyring = Keyring(found.home, settings, passphrase_file)
    choice = _choose_data(settings, platform, platform_token_file, data, pull_seconds)
    with keyring.unlock_fleet(seed_file, count) as signers:
        program = _Program(settings, found, rpc, max_ahead, 1 if once else rounds, threads, updates)
        outcomes = program.run(signers, keyring.choose_enrolment(operator, payout), choice)
    _print(outcomes, as_json=as_json)


class _Program:
    """Composes a host from settings and options, and runs nodes on it."""

    def __init__(
        self,
        settings: ClientSettings,
        found: Contact,
        rpc: str | None,
        max_ahead: int | None,
        rounds: int | None,
        threads: int,
        updates: Sequence[str],
    ) -> None:
        self._settings, self._contact, self._rpc = settings, found, rpc or settings.rpc
        self._max_ahead, self._rounds = max_ahead or settings.max_ahead, rounds
        self._threads, self._updates = threads, updates

    def run(self, signers: Sequence[Signer], enrolment: Enrolment, data: DataChoice) -> list[Outcome]:
        """Runs the nodes until they end."""
        import asyncio  # noqa: PLC0415
        import sys  # noqa: PLC0415

        from client import read_version  # noqa: PLC0415
        from client.node.work.running import open_display, run_nodes  # noqa: PLC0415

        data.verify()
        self._contact.api.close()
        version = read_version()

        async def main() -> list[Outcome]:
            with open_display(len(signers), live=sys.stderr.isatty()) as display:
                host = self._create_host(display, signers, version)
                return await run_nodes(host, signers, enrolment, data, version)

        return asyncio.run(main())

    def _create_host(self, display: Display, signers: Sequence[Signer], version: str) -> Host:
        from client.node.work.host import Host, Rules  # noqa: PLC0415

        rules = Rules(max_ahead=self._max_ahead, slack_seconds=self._settings.anchor_slack_seconds, rounds=self._rounds)
        return Host(
            url=self._contact.url,
            pin=self._contact.pin,
            home=self._contact.home,
            trainer=self._create_trainer(signers, version),
            display=display,
            rules=rules,
            chain=self._create_anchors(),
            nodes=len(signers),
        )

    def _create_trainer(self, signers: Sequence[Signer], version: str) -> Trainer:
        from client.node.work.training import HonestTrainer  # noqa: PLC0415

        honest = HonestTrainer(version, "cpu", self._threads)
        if set(self._updates) == set(_HONESTLY):
            return honest
        from client.api import Api  # noqa: PLC0415 -- honest nodes start without these
        from client.identity import Identity  # noqa: PLC0415
        from client.node.work.dishonest import create_trainer  # noqa: PLC0415
        from client.node.work.eyes import Eyes  # noqa: PLC0415

        eyes = Eyes(Identity(Api(self._contact.url), signers[0], self._contact.pin.chain_id))
        return create_trainer(self._updates, [signer.address for signer in signers], eyes, honest)

    def _create_anchors(self) -> ChainAnchors | None:
        if self._rpc is None:
            return None
        import structlog  # noqa: PLC0415

        from client.chain import ChainAnchors  # noqa: PLC0415

        def tell(problem: str) -> None:
            structlog.get_logger().warning("chain_unreachable", problem=problem, then="waiting and trying again")

        return ChainAnchors(self._rpc, self._contact.pin, self._contact.info.start_block, tell)


def _limit_threads(threads: int) -> None:
    """Holds the libraries below torch to as many threads too; they read this once, when they are first imported."""
    if threads:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = str(threads)


def _verify_updates(names: Sequence[str], nodes: int) -> None:
    """Before a wallet is opened. Raises UsageRefused."""
    if set(names) != set(_HONESTLY):
        from client.node.work.dishonest import verify_parts  # noqa: PLC0415 -- with torch, two seconds of imports

        verify_parts(names, nodes)


def _choose_data(
    settings: ClientSettings, platform: str | None, token_file: Path | None, data: Path | None, pull_seconds: float
) -> DataChoice:
    from client.node.work.running import DataChoice  # noqa: PLC0415

    # A platform from the environment gives way to a file that was named.
    chosen = platform or (settings.platform if data is None else None)
    choice = DataChoice(chosen, token_file, data, pull_seconds)
    choice.verify()
    return choice


def _print(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    from client.output import print_json, show_text  # noqa: PLC0415
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    if as_json:
        print_json(
            [{"node": to_address(done.node), "rounds": done.rounds, "problem": done.problem} for done in outcomes]
        )
    for done in outcomes:
        if done.problem:
            typer.echo(f"node {to_address(done.node)} ended: {show_text(done.problem)}", err=True)
    if any(done.problem for done in outcomes):
        raise typer.Exit(1)
