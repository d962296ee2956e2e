"""Wallets that are contracts: the chain is asked whether one approves a signature (ERC-1271)."""

from __future__ import annotations

import asyncio

from contracts.chain import Chain
from contracts.contract_wallet import is_valid_signature
from contracts.rpc import Rpc

_AT_ONCE = 2
_ATTEMPTS = 2
_TIMEOUT_SECONDS = 5.0


class ContractWallets:
    """Asks a provider. A few questions at once at most: whoever sends bad signatures must not use up our threads.

    Args:
        rpc_url: the provider.
        chain_id: the chain it must serve.
    """

    def __init__(self, rpc_url: str, chain_id: int) -> None:
        self._rpc_url, self._chain_id = rpc_url, chain_id
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def approves(self, wallet: bytes, digest: bytes, signature: bytes) -> bool:
        """Whether there is a contract at `wallet` that approves the signature over a 32-byte digest.

        Raises:
            ChainError: the provider gave no usable answer, or serves another chain.
        """
        async with self._turns:
            return await asyncio.to_thread(self._ask, wallet, digest, signature)

    def _ask(self, wallet: bytes, digest: bytes, signature: bytes) -> bool:
        with Rpc(self._rpc_url, timeout_seconds=_TIMEOUT_SECONDS, attempts=_ATTEMPTS) as rpc:
            chain = Chain(rpc, self._chain_id)
            chain.verify()
            return is_valid_signature(chain, wallet, digest, signature)
