"""The gateway: everything our programs read from a chain about one deployment.

Nothing a provider says is believed that can be checked: the chain's id, the code at every address, the shape of every
answer, the place of every event. What a provider can still do is hide things or lag; `fetch_head` shows the latter.
Writing is `contracts.sender.Sender` with the calls of `contracts.calls.Calls`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from contracts.artifacts import load_interfaces
from contracts.calls import Calls
from contracts.deployment import Deployment
from contracts.errors import ChainMoved, ContractMissing, ProviderRefused, WrongChain
from contracts.events import Event, EventReader
from contracts.execution import Execution
from contracts.job_events import RoundPosted
from contracts.rpc import Rpc
from contracts.state import AccountState, Anchor, Block, JobState, NodeState, RoundState
from ledger.eip712 import Domain, compute_domain
from ledger.hashing import keccak256
from ledger.hexadecimal import parse_hex, to_address, to_hex

ZERO_ADDRESS = bytes(20)


class Gateway:
    """Reads one deployment. Safe to use from several threads; every method blocks.

    All methods raise ChainUnreachable when no answer comes after all retries.

    Args:
        rpc: connection to the provider.
        deployment: where the contracts live.
        final_depth: how many blocks count as final on a chain that does not say so itself.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment, *, final_depth: int = 32) -> None:
        self.rpc = rpc
        self.deployment = deployment
        self.calls = Calls(deployment, load_interfaces())
        self.execution = Execution(rpc, load_interfaces())
        self._events = EventReader(rpc, deployment, load_interfaces())
        self._final_depth = final_depth

    @classmethod
    def connect(cls, url: str, deployment: Deployment, *, timeout_seconds: float = 10.0) -> Self:
        """Return a gateway whose chain and contracts were verified.

        Raises:
            WrongChain: the provider serves another chain.
            ContractMissing: no code, or other code, at an address of the deployment.
        """
        gateway = cls(Rpc(url, timeout_seconds=timeout_seconds), deployment)
        try:
            gateway.verify()
        except BaseException:
            gateway.close()
            raise
        return gateway

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.rpc.close()

    # The deployment

    def verify(self) -> None:
        """Verify that the provider serves the deployment's chain and every contract's code is the deployed one.

        Raises:
            WrongChain: the provider serves another chain.
            ContractMissing: no code, or other code, at an address of the deployment.
        """
        chain_id = int(self.rpc.fetch("eth_chainId"), 16)
        if chain_id != self.deployment.chain_id:
            raise WrongChain(self.deployment.chain_id, chain_id)
        for name, address in self.deployment.addresses.items():
            expected = self.deployment.code_hashes[name]
            code = parse_hex(self.rpc.fetch("eth_getCode", to_hex(address), "latest"))
            if keccak256(code) != expected:
                got = f"code with hash {to_hex(keccak256(code))}" if code else "no code"
                raise ContractMissing(name, to_address(address), f"code with hash {to_hex(expected)}", got)

    @property
    def domain(self) -> Domain:
        """EIP-712 domain of every statement but registrations."""
        return compute_domain(self.deployment.chain_id, self.deployment.job_ledger)

    @property
    def registry_domain(self) -> Domain:
        """EIP-712 domain of registrations."""
        return compute_domain(self.deployment.chain_id, self.deployment.node_registry)

    # Blocks

    def fetch_head(self) -> Block:
        """Return the newest block; its timestamp is the chain's clock."""
        return self._fetch_block("latest")

    def fetch_final_block(self) -> Block:
        """Return the newest block that no reorganisation removes, by the chain's own word or else `final_depth` deep."""

    def fetch_block(self, number: int) -> Block | None:
        """Return the block with this number, or None where the chain is shorter."""

    def verify_block(self, number: int, block_hash: bytes) -> None:
        """Verify that a block read before is still on the chain.

        Raises:
            ChainMoved: the chain reorganised: what was read at or after this block must be read again.
        """

    # Accounts and tokens

    def fetch_balance(self, address: bytes, at: Block | None = None) -> int:
        """Return an address's native coin, in wei."""

    def fetch_token_balance(self, holder: bytes, token: bytes | None = None, at: Block | None = None) -> int:
        """Return a holder's tokens in base units; of the deployment's TallyToken where `token` is None."""

    def fetch_allowance(self, owner: bytes, spender: bytes, token: bytes | None = None) -> int:
        """Return what `spender` may take of the owner's tokens, in base units."""

    def fetch_permit_nonce(self, owner: bytes, token: bytes | None = None) -> int:
        """Return the nonce of the owner's next ERC-2612 permit."""

    # NodeRegistry

    def fetch_node(self, node: bytes, at: Block | None = None) -> NodeState | None:
        """Return what the registry keeps of a node, or None where it is not registered."""

    def fetch_stake(self, node: bytes, at: Block | None = None) -> int:
        """Return the node's stake that is not leaving, in base units of the stake token."""

    # JobLedger

    def fetch_job(self, job: bytes, at: Block | None = None) -> JobState | None:
        """Return what the ledger keeps of a job, or None where it was never opened."""

    def fetch_round(self, job: bytes, round_number: int, at: Block | None = None) -> RoundState | None:
        """Return what the ledger keeps of a round, or None where it was never posted."""

    def fetch_account(self, job: bytes, at: Block | None = None) -> AccountState:
        """Return where a job's escrow is."""

    def fetch_claimed(self, job: bytes, node: bytes, at: Block | None = None) -> int:
        """Return what a node has drawn in a job, in base units."""

    def fetch_funds(self, account: bytes, token: bytes | None = None, at: Block | None = None) -> int:
        """Return an account's free funds in the ledger (deposits, released bonds, refunds), in base units."""

    def fetch_bond_free_at(self, job: bytes) -> int:
        """Return the time from which the bond of a closed job can be released, in unix seconds."""

    def fetch_is_final(self, job: bytes, round_number: int, at: Block | None = None) -> bool:
        """Return whether a round is posted, standing, and can no longer be struck."""

    # Events

    def fetch_events(
        self,
        first_block: int,
        last_block: int,
        kinds: Sequence[type[Event]] = (),
        job: bytes | None = None,
    ) -> tuple[Event, ...]:
        """Return what the ledger and the registry reported in a range of blocks, both ends included, in chain order.

        Long ranges are read in pieces, and pieces a provider finds too long are halved.

        Args:
            first_block: number of the first block; nothing lies before `deployment.block`.
            last_block: number of the last block.
            kinds: only these events; all where empty.
            job: only events of this job; registry events carry none, except slashings.
        """

    def fetch_posted_rounds(self, job: bytes, last_block: int | None = None) -> tuple[RoundPosted, ...]:
        """Return every posted header of a job with its anchor words, in order, from the chain alone.

        Each is checked: the header's digest is the event's, the anchor word the ledger keeps is that of the event.

        Raises:
            MalformedAnswer: an event does not fit what the ledger keeps.
        """
