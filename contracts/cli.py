"""`tally-chain`: a dev chain on this machine, deployment to any EVM chain, and a look at what was deployed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from contracts.amounts import format_amount, parse_amount
from contracts.edge import report
from contracts.keys import choose_signer
from contracts.printing import create_console, print_dev_chain, print_result
from ledger.hexadecimal import parse_address, to_address, to_hex

if TYPE_CHECKING:
    from contracts.chain import Chain
    from contracts.deployment import Deployment
    from contracts.devchain import DevChain
    from contracts.gateway import Gateway

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RpcUrl = Annotated[str, typer.Option("--rpc", metavar="URL", help="JSON-RPC address of the chain.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DeploymentFile = Annotated[
    Path, typer.Option("--deployment", metavar="FILE", help="Deployment file that `deploy` or `dev` wrote.")
]
Keystore = Annotated[Path | None, typer.Option(metavar="FILE", help="Encrypted Web3 keystore of the key that pays.")]
PrivateKeyFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File with the private key that pays, 64 hex digits.")
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Passphrase of the keystore; else TALLY_PASSPHRASE, else you are asked."),
]


@app.callback()
def tally_chain() -> None:
    """Dev chain, deployment and state of Tallystick's contracts."""


@app.command()
def dev(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 takes a free one.")] = 0,
    block_time: Annotated[int, typer.Option(min=0, help="Seconds between blocks; 0 mines each transaction.")] = 1,
    accounts: Annotated[int, typer.Option(min=1, max=200, help="How many accounts have native coin.")] = 10,
    deploy: Annotated[bool, typer.Option("--deploy", help="Deploy the contracts, paid by the first account.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write the deployment file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a dev chain (anvil) until Ctrl-C. Nothing is kept, and its keys are public: for development only."""
    from contracts.devchain import DevChain  # noqa: PLC0415 -- imports wait until a command needs them

    if out is not None and not deploy:
        raise typer.BadParameter("a deployment file needs --deploy", param_hint="--out")
    _refuse_existing(out)
    # Whoever started us ends us with SIGTERM: anvil must not outlive us.
    signal.signal(signal.SIGTERM, _interrupt)
    with DevChain.start(port=port, block_seconds=block_time or None, accounts=accounts) as chain:
        try:
            deployment = _deploy_dev(chain, out) if deploy else None
            print_dev_chain(chain, deployment, out, as_json=as_json)
            code = chain.wait()
        except KeyboardInterrupt:
            return
    sys.stderr.write(f"tally-chain: anvil ended by itself with exit code {code}\n")
    raise typer.Exit(1)


@app.command()
def deploy(  # noqa: PLR0913 -- a command's options are its parameters
    *,
    rpc: RpcUrl,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the deployment file; never overwritten.")],
    keystore: Keystore = None,
    private_key_file: PrivateKeyFile = None,
    passphrase_file: PassphraseFile = None,
    token: Annotated[
        str, typer.Option(metavar="ADDRESS", help="ERC-20 for stakes and rewards, instead of a new TallyToken.")
    ] = "",
    holder: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Who gets the new TallyToken's supply; else who pays.")
    ] = "",
    supply: Annotated[str, typer.Option(metavar="TOKENS", help="Supply of the new TallyToken.")] = "1000000000",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show addresses and cost; send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")] = False,
    as_json: AsJson = False,
) -> None:
    """Deploy the contracts to a chain and write the deployment file."""
    from contracts import deploy as deployment  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415

    _refuse_existing(out)
    signer = choose_signer(keystore, private_key_file, passphrase_file, _ask_passphrase)
    console = create_console()
    with _connect(rpc) as chain:
        sender = Sender(chain, signer)
        plan = deployment.plan_deployment(
            sender,
            holder=parse_address(holder, "--holder") if holder else None,
            supply=parse_amount(supply),
            token=parse_address(token, "--token") if token else None,
        )
        payer = f"{to_address(signer.address)} on chain {chain.chain_id}"
        console.print(f"costs {payer} at most {format_amount(plan.most_cost)} of native coin")
        if dry_run:
            places = {step.contract: to_address(step.address) for step in plan.steps}
            print_result({"chainId": chain.chain_id, **places, "mostCost": str(plan.most_cost)}, as_json=as_json)
            return
        if not yes:
            typer.confirm("Deploy?", err=True, abort=True)
        with console.status("deploying"):
            done = deployment.deploy(sender, plan, lambda step: console.print(f"{step.contract} stands"))
    # Printed first: a full disk must not lose the only trace of what was paid for.
    print_result(done.to_json(), as_json=as_json)
    done.save(out)
    console.print(f"written to {out}")


@app.command()
def fund(  # noqa: PLR0913 -- a command's options are its parameters
    address: Annotated[str, typer.Argument(help="Who gets it.")],
    *,
    rpc: RpcUrl,
    deployment: DeploymentFile,
    coins: Annotated[str, typer.Option(metavar="AMOUNT", help="Native coin.")] = "0",
    tokens: Annotated[str, typer.Option(metavar="AMOUNT", help="Tokens of the deployment.")] = "0",
    keystore: Keystore = None,
    private_key_file: PrivateKeyFile = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Send native coin and tokens to an address. On a dev chain the first account pays unless a key is given."""
    from contracts.devchain import CHAIN_ID, load_dev_signer  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415
    from contracts.transactions import Call  # noqa: PLC0415

    to = parse_address(address, "ADDRESS")
    with _open(rpc, deployment) as gateway:
        decimals = gateway.fetch_decimals(gateway.deployment.tally_token)
        wanted = {"coins": parse_amount(coins), "tokens": parse_amount(tokens, decimals)}
        if not any(wanted.values()):
            raise typer.BadParameter("nothing to send: give --coins, --tokens, or both")
        if gateway.chain_id == CHAIN_ID and keystore is None and private_key_file is None:
            signer = load_dev_signer()
        else:
            signer = choose_signer(keystore, private_key_file, passphrase_file, _ask_passphrase)
        sender = Sender(gateway, signer)
        calls = {
            "coins": Call(to, b"", wanted["coins"], "transfer of native coin"),
            "tokens": gateway.calls.transfer(to, wanted["tokens"]),
        }
        sent = {name: to_hex(sender.execute(calls[name]).hash) for name, amount in wanted.items() if amount}
    print_result(sent, as_json=as_json)


@app.command()
def status(*, rpc: RpcUrl, deployment: DeploymentFile, as_json: AsJson = False) -> None:
    """Verify that a chain has the contracts of a deployment file, and show where it stands."""
    with _open(rpc, deployment) as gateway:
        head, final = gateway.fetch_head(), gateway.fetch_final_block()
        places = {name: to_address(place) for name, place in gateway.deployment.addresses.items()}
        numbers = {"block": head.number, "finalBlock": final.number, "timestamp": head.timestamp}
        print_result({"chainId": gateway.chain_id, **places, **numbers}, as_json=as_json)


def main() -> None:
    """Run one command; every known error becomes one sentence and an exit code."""
    try:
        app(prog_name="tally-chain")
    except Exception as error:  # noqa: BLE001 -- the program's edge: nothing may reach a person as a traceback
        sys.exit(report(error, as_json="--json" in sys.argv))


def _deploy_dev(chain: DevChain, out: Path | None) -> Deployment:
    from contracts.deploy import deploy, plan_deployment  # noqa: PLC0415
    from contracts.sender import Sender  # noqa: PLC0415
    from ledger.signatures import Signer  # noqa: PLC0415

    with _connect(chain.url) as connection:
        sender = Sender(connection, Signer(chain.accounts[0].private_key), poll_seconds=0.05)
        deployment = deploy(sender, plan_deployment(sender))
    if out is not None:
        deployment.save(out)
    return deployment


@contextmanager
def _connect(url: str) -> Iterator[Chain]:
    """Connect to whatever chain the provider serves: there is no deployment yet that names one."""
    from contracts.chain import Chain, fetch_chain_id  # noqa: PLC0415
    from contracts.rpc import Rpc  # noqa: PLC0415

    with Rpc(url) as rpc:
        yield Chain(rpc, fetch_chain_id(rpc))


def _open(url: str, path: Path) -> Gateway:
    from contracts.deployment import Deployment  # noqa: PLC0415
    from contracts.gateway import Gateway  # noqa: PLC0415

    return Gateway.connect(url, Deployment.load(path))


def _refuse_existing(out: Path | None) -> None:
    from contracts.deployment import DeploymentExists  # noqa: PLC0415

    if out is not None and out.exists():
        raise DeploymentExists(out)


def _ask_passphrase() -> str:
    answer: str = typer.prompt("Passphrase", hide_input=True, err=True)
    return answer


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
