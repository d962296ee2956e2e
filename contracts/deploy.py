"""Deploys the contracts: addresses predicted first, since each names the others, and everything verified afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contracts.artifacts import load_artifact
from contracts.deployment import ZERO_ADDRESS, Deployment
from contracts.errors import ChainError
from contracts.inspection import inspect_deployment
from contracts.sender import Sender
from contracts.transactions import Call, Fees, compute_create_address
from ledger.hexadecimal import to_address

DEFAULT_SUPPLY = 10**9 * 10**18
"""Base units of a new TallyToken: a thousand million tokens."""

# Gas of a creation: the transaction, the calldata, the code kept (EVM yellow paper, appendix G), and our constructors,
# the dearest of which writes two fresh slots.
CREATION_GAS = 53_000
CALLDATA_BYTE_GAS = 16
CODE_BYTE_GAS = 200
CONSTRUCTOR_GAS = 300_000


class UnsettledSender(ChainError):
    """The deploying key has transactions that are not mined: addresses cannot be predicted."""

    def __init__(self, address: bytes, waiting: int) -> None:
        self.address = address
        self.waiting = waiting
        super().__init__(
            f"expected no waiting transaction of {to_address(address)}, got {waiting}: "
            "wait until they are mined, or deploy with another key"
        )


class AddressDiffers(ChainError):
    """A contract was created elsewhere than predicted: another program used the key meanwhile."""

    def __init__(self, contract: str, expected: bytes, got: bytes) -> None:
        self.contract = contract
        self.expected = expected
        self.got = got
        super().__init__(
            f"expected {contract} at {to_address(expected)}, got {to_address(got)}: another program used the same key; "
            "deploy again with a key of its own"
        )


@dataclass(frozen=True)
class Step:
    """One contract to create.

    Attributes:
        contract: Solidity name.
        nonce: of its transaction.
        address: where it will be.
        call: its creation code and arguments.
        gas: bound of what it takes.
    """

    contract: str
    nonce: int
    address: bytes
    call: Call
    gas: int


@dataclass(frozen=True)
class Plan:
    """A deployment that has not been sent; steps in the order that the constructors rely on.

    Attributes:
        steps: contracts to create.
        token: the reward and stake token.
        node_registry: where it will be.
        job_ledger: where it will be.
        challenge_court: where it will be.
        fees: what gas costs now.
    """

    steps: tuple[Step, ...]
    token: bytes
    node_registry: bytes
    job_ledger: bytes
    challenge_court: bytes
    fees: Fees

    @property
    def most_cost(self) -> int:
        """The most that sending it takes, in wei, at the present fees."""
        return sum(step.gas for step in self.steps) * self.fees.limit


def plan_deployment(
    sender: Sender, *, holder: bytes | None = None, supply: int = DEFAULT_SUPPLY, token: bytes | None = None
) -> Plan:
    """Return what deploying with this sender's key would do; nothing is sent.

    Args:
        sender: pays, and determines the addresses.
        holder: gets the supply of the new TallyToken; the sender where None.
        supply: base units of the new TallyToken.
        token: an ERC-20 on the chain, to use instead of a new TallyToken.

    Raises:
        UnsettledSender: the key has transactions that are not mined.
    """
    nonce, mined = sender.fetch_next_nonce(), sender.fetch_mined_nonce()
    if nonce != mined:
        raise UnsettledSender(sender.address, nonce - mined)
    first = nonce if token is not None else nonce + 1
    new_token = token or compute_create_address(sender.address, nonce)
    registry, ledger, court = (compute_create_address(sender.address, first + place) for place in range(3))
    # No quorum: the ledger takes its address for good, and that contract does not exist yet.
    steps = [
        _build_step(sender, "NodeRegistry", first, (new_token, ledger, court)),
        _build_step(sender, "JobLedger", first + 1, (registry, court, ZERO_ADDRESS)),
        _build_step(sender, "ChallengeCourt", first + 2, (ledger, registry)),
    ]
    if token is None:
        steps.insert(0, _build_step(sender, "TallyToken", nonce, (holder or sender.address, supply)))
    return Plan(tuple(steps), new_token, registry, ledger, court, sender.suggest_fees())


def deploy(sender: Sender, plan: Plan, report: Callable[[Step], None] = lambda _: None) -> Deployment:
    """Send a plan and return the deployment, verified on the chain.

    Args:
        sender: the one that the plan was made for.
        plan: what to send.
        report: told of every contract that stands.

    Raises:
        AddressDiffers: another program used the key meanwhile.
        TransactionReverted: a constructor refused.
        InsufficientFunds: the key cannot pay.
        DeploymentDiffers: what stands on the chain is not what was meant.
    """
    blocks = []
    for step in plan.steps:
        blocks.append(_send_step(sender, step))
        report(step)
    return inspect_deployment(sender.chain, plan.job_ledger, block=min(blocks))


def _build_step(sender: Sender, contract: str, nonce: int, arguments: tuple[object, ...]) -> Step:
    artifact = load_artifact(contract)
    code = artifact.creation_code + artifact.interface.encode_deployment(arguments)
    gas = CREATION_GAS + CALLDATA_BYTE_GAS * len(code) + CODE_BYTE_GAS * len(artifact.code) + CONSTRUCTOR_GAS
    address = compute_create_address(sender.address, nonce)
    return Step(contract, nonce, address, Call(b"", code, 0, f"{contract} (creation)"), gas)


def _send_step(sender: Sender, step: Step) -> int:
    """Create one contract and return its block. Estimated anew: on some chains gas also pays for another chain's."""
    transaction = sender.sign(step.call)
    if transaction.nonce != step.nonce:
        raise AddressDiffers(step.contract, step.address, compute_create_address(sender.address, transaction.nonce))
    sender.broadcast(transaction)
    mined = sender.wait(transaction.hash)
    if mined.revert is not None:
        raise mined.revert
    return mined.block
