"""From options to a watchtower: provider, ledger, coordinator, wallet, files. The program's composition root."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from client import calls
from client.api import Api
from client.auditor.evidence.coordinator import CoordinatorEvidence
from client.auditor.policy import Policy
from client.auditor.watch.docket import Docket
from client.auditor.watch.held import load_promises
from client.auditor.watch.job_watch import Equipment, JobWatch
from client.auditor.watch.prosecuting import Limits, Prosecutor
from client.auditor.watch.telling import Teller
from client.auditor.watch.watchtower import Tower
from client.errors import ClientError, TransportError, UsageRefused
from client.home import Home
from client.identity import Identity
from client.transport import Patience
from contracts.chain import Chain, fetch_chain_id
from contracts.deployment import ZERO_ADDRESS
from contracts.gateway import Gateway
from contracts.inspection import inspect_deployment
from contracts.rpc import Rpc
from contracts.sender import Sender
from ledger.faults.case import Promises
from ledger.hexadecimal import to_address
from ledger.signatures import Signer

if TYPE_CHECKING:
    from client.auditor.learning.recompute import Recomputation
    from ledger.verify.bundle import AuditedJob

# A look that fails is repeated by the next one: no exchange is waited for long.
ATTEMPTS = 2


class TowerRunning(ClientError):
    """Another watchtower works in the same TALLY_HOME."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"another watchtower holds {path}: stop it, or watch more jobs with it, or use another TALLY_HOME"
        )


class GasMissing(ClientError):
    """A wallet that is to challenge holds no native coin."""

    def __init__(self, address: bytes) -> None:
        self.address = address
        super().__init__(
            f"expected native coin at {to_address(address)} to pay gas with, got none: send some, "
            "or watch without --challenge"
        )


@dataclass(frozen=True)
class Order:
    """What the auditor asked for.

    Attributes:
        jobs: what to watch.
        coordinator, rpc: addresses.
        policy: the chain and ledger that are trusted.
        start_block: where events begin; where the coordinator says, if None.
        recompute: whether the learning is recomputed.
        challenge: whether proofs and demands are sent, with `signer`.
        signer: also signs in where only listed auditors may read.
        receipts: files with promises that nodes hold.
        demands: of one round that wait for an answer at once.
        as_json: one JSON object a line.
    """

    jobs: Sequence[bytes]
    coordinator: str
    rpc: str
    policy: Policy
    start_block: int | None = None
    recompute: bool = True
    challenge: bool = False
    signer: Signer | None = None
    receipts: Sequence[Path] = ()
    demands: int = Limits.demands
    as_json: bool = False


@contextmanager
def equip(order: Order, home: Home, clock: Callable[[], float] = time.time) -> Iterator[Tower]:
    """Opens everything that an order needs; what is wrong with it is said before the first look.

    Raises:
        UsageRefused: a challenge without a wallet or court, or files that are none.
        GasMissing: a challenge without anything to pay with.
        WrongChain, ContractMissing, DeploymentDiffers: the provider serves something else than what is trusted.
        ChainUnreachable: the provider does not answer.
        TowerRunning: another watchtower works in this folder.
    """
    if order.challenge and order.signer is None:
        raise UsageRefused("a challenge is sent from a wallet that pays the gas: give --wallet FILE")
    held = load_promises(order.receipts)
    with ExitStack() as stack:
        root = home.path / "watch"
        stack.enter_context(_lock(root / "lock"))
        gateway = stack.enter_context(_connect(order, stack))
        api = stack.enter_context(Api(order.coordinator, patience=Patience(attempts=ATTEMPTS)))
        identity = Identity(api, order.signer or Signer(secrets.token_bytes(32)), gateway.chain_id)
        teller = Teller(clock, as_json=order.as_json)
        docket, prosecutor = _prosecute(order, gateway, teller, root, clock)
        source = CoordinatorEvidence(api, identity)
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="tally-watch-")))
        recompute = partial(_recompute, source, scratch) if order.recompute else None
        whole = order.start_block is not None
        equipment = Equipment(gateway, source, teller, held or Promises(), prosecutor, recompute, whole=whole)
        ledger = gateway.deployment.job_ledger.hex()
        jobs = [JobWatch(job, root / f"{gateway.chain_id}-{ledger}" / job.hex(), equipment) for job in order.jobs]
        yield Tower(gateway, jobs, teller, docket, prosecutor, clock)


def _connect(order: Order, stack: ExitStack) -> Gateway:
    rpc = stack.enter_context(Rpc(order.rpc, attempts=ATTEMPTS))
    chain = Chain(rpc, order.policy.chain_id or fetch_chain_id(rpc))
    chain.verify()
    block = _find_start(order) if order.start_block is None else order.start_block
    deployment = inspect_deployment(chain, order.policy.job_ledger, block=block)
    if order.challenge and deployment.challenge_court == ZERO_ADDRESS:
        ledger = to_address(order.policy.job_ledger)
        raise UsageRefused(f"the ledger {ledger} has no court: nothing can be challenged; watch without --challenge")
    return Gateway(rpc, deployment)


def _find_start(order: Order) -> int:
    """Where the coordinator says that events begin: it can hide nothing, since the ledger counts its rounds."""
    with Api(order.coordinator, patience=Patience(attempts=ATTEMPTS)) as api:
        try:
            return api.fetch(calls.info()).start_block
        except TransportError as error:
            sys.stderr.write(f"{error}; reading the chain from its first block on\n")
            return 0


def _prosecute(
    order: Order, gateway: Gateway, teller: Teller, root: Path, clock: Callable[[], float]
) -> tuple[Docket | None, Prosecutor | None]:
    if not order.challenge or order.signer is None:
        return None, None
    address = order.signer.address
    if gateway.fetch_balance(address) == 0:
        raise GasMissing(address)
    path = root / f"docket-{gateway.chain_id}-{address.hex()}.json"
    docket = Docket(path, Sender(gateway, order.signer), clock)
    return docket, Prosecutor(gateway, docket, teller, secrets.token_bytes, Limits(order.demands))


def _recompute(source: CoordinatorEvidence, scratch: Path, job: AuditedJob) -> Recomputation:
    from client.auditor.evidence.blobs import Blobs  # noqa: PLC0415
    from client.auditor.learning.recompute import Recomputation  # noqa: PLC0415 -- torch takes two seconds to import

    return Recomputation(job, Blobs(source, scratch))


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise TowerRunning(path) from None
    try:
        yield
    finally:
        lock.release()
