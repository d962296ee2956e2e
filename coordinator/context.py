"""What the rooms share: settings, key, clock, randomness, database, files. Made once by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request

from contracts.deployment import Deployment
from coordinator.compute.supervisor import ComputeChild
from coordinator.deposits import Deposits
from coordinator.settings import CoordinatorSettings
from coordinator.storage.bell import Bell
from coordinator.storage.blobs import BlobStore
from coordinator.storage.database import Database
from coordinator.storage.shelf import Shelf
from coordinator.wallets import ContractWallets
from ledger.eip712 import Domain, compute_domain
from ledger.signatures import Signer


@dataclass(frozen=True)
class Context:
    """The shared parts of one coordinator.

    Attributes:
        clock: unix seconds, UTC.
        randomness: that many unpredictable bytes.
        compute: the child process that knows torch.
        shelf: small files that everyone may fetch.
        known_tokens: addresses and expiry of tokens that were looked up before.
    """

    settings: CoordinatorSettings
    deployment: Deployment
    signer: Signer
    clock: Callable[[], float]
    randomness: Callable[[int], bytes]
    database: Database
    bell: Bell
    blobs: BlobStore
    compute: ComputeChild
    shelf: Shelf = field(default_factory=Shelf, repr=False)
    known_tokens: dict[str, tuple[bytes, int]] = field(default_factory=dict, repr=False)

    @property
    def now(self) -> int:
        """The time in whole seconds, as protocol statements carry it."""
        return int(self.clock())

    @cached_property
    def wallets(self) -> ContractWallets:
        """Asks the chain about wallets that are contracts."""
        return ContractWallets(self.settings.rpc_url, self.deployment.chain_id)

    @cached_property
    def deposits(self) -> Deposits:
        """Asks the chain what the coordinator has free for bonds."""
        return Deposits(self.settings.rpc_url, self.deployment, self.signer.address)

    @cached_property
    def domain(self) -> Domain:
        """EIP-712 domain of every statement but registrations."""
        return compute_domain(self.deployment.chain_id, self.deployment.job_ledger)

    @cached_property
    def registry_domain(self) -> Domain:
        """EIP-712 domain of registrations."""
        return compute_domain(self.deployment.chain_id, self.deployment.node_registry)


async def get_context(request: Request) -> Context:
    """The context of the application that serves this request."""
    context: Context = request.app.state.context
    return context


InContext = Annotated[Context, Depends(get_context)]
