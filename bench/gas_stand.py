"""The chain that gas is measured on: one anvil under Prague's rules, our deployment, and a clock in our hands."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from contracts.abi import Interface
from contracts.chain import Chain
from contracts.deploy import deploy, plan_deployment
from contracts.devchain import CHAIN_ID, DevChain
from contracts.gateway import Gateway
from contracts.rpc import Rpc
from contracts.sender import Sender
from contracts.transactions import Call, compute_create_address
from ledger.hashing import keccak256
from ledger.hexadecimal import to_hex
from ledger.signatures import Signer

HARDFORK = "prague"
Costs = dict[str, int]
"""Units of gas by operation."""

GAS_LIMIT = 12_000_000
"""Units of gas every transaction may use; what it did use is in its receipt and does not depend on this."""

COIN = 10**18
TOKEN = 10**18


class Party:
    """Somebody with a key and native coin, who sends transactions and is told what they used."""

    def __init__(self, gateway: Gateway, signer: Signer) -> None:
        self.signer = signer
        self.address = signer.address
        self._sender = Sender(gateway, signer, poll_seconds=0.002)

    def spend(self, call: Call) -> int:
        """Returns the `gasUsed` of the call's receipt, in units of gas.

        Raises:
            TransactionReverted: the contract refused: a figure of a failed call is none.
        """
        # The chain is taken back between measurements, and nonces with it: each is asked for anew.
        nonce = self._sender.fetch_mined_nonce()
        transaction = self._sender.sign(call, nonce=nonce, gas=GAS_LIMIT)
        self._sender.broadcast(transaction)
        mined = self._sender.wait(transaction.hash)
        if mined.revert is not None:
            raise mined.revert
        return mined.gas_used

    def create(self, contract: Contract, *arguments: object) -> tuple[bytes, int]:
        """Returns the address of a new contract and the gas its creation used."""
        address = compute_create_address(self.address, self._sender.fetch_mined_nonce())
        data = contract.creation_code + contract.interface.encode_deployment(arguments)
        return address, self.spend(Call(b"", data, 0, f"{contract.interface.name} (creation)"))


@dataclass(frozen=True)
class Contract:
    """A compiled contract of somebody else's."""

    interface: Interface
    creation_code: bytes

    @classmethod
    def read(cls, name: str, abi: Sequence[Mapping[str, Any]], bytecode: str) -> Self:
        """Returns the contract of an artifact's parts; `bytecode` is hex, with or without 0x."""
        return cls(Interface(name, abi), bytes.fromhex(bytecode.removeprefix("0x")))

    def call(self, address: bytes, function: str, *arguments: object) -> Call:
        """Returns a call of the contract at this address; structs are tuples, addresses 20 bytes."""
        return Call(address, self.interface.encode_call(function, arguments), 0, f"{self.interface.name}.{function}")


class Stand:
    """A running chain with the contracts of this project on it, and everybody who acts.

    Attributes:
        holder: has all tokens; deploys.
        requester, coordinator: with native coin.
        stranger: sends what anybody may send.
    """

    def __init__(self, chain: DevChain) -> None:
        self._rpc = Rpc(chain.url, timeout_seconds=60)
        signers = [Signer(account.private_key) for account in chain.accounts[:4]]
        sender = Sender(Chain(self._rpc, CHAIN_ID), signers[0], poll_seconds=0.002)
        self.gateway = Gateway(self._rpc, deploy(sender, plan_deployment(sender)))
        self.holder, self.requester, self.coordinator, self.stranger = (Party(self.gateway, one) for one in signers)

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Starts the chain and stops it again."""
        with DevChain.start(block_seconds=None, accounts=4, hardfork=HARDFORK) as chain:
            stand = cls(chain)
            try:
                yield stand
            finally:
                stand.gateway.close()

    @property
    def token(self) -> bytes:
        """Address of the one ERC-20 that everybody here is paid in."""
        return self.gateway.deployment.tally_token

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Takes the chain back afterwards, so that every measurement finds the same slots empty."""
        snapshot = self._rpc.send("evm_snapshot")
        yield
        self._rpc.send("evm_revert", snapshot)
        # Anvil would set the clock back with the chain, before blocks that stay.
        self._rpc.send("evm_setTime", hex(max(int(time.time()), self.gateway.fetch_head().timestamp)))

    def move_clock(self, at: int) -> None:
        """Mines a block at this time, in unix seconds."""
        self._rpc.send("evm_setNextBlockTimestamp", hex(at))
        self._rpc.send("anvil_mine", "0x1")

    def meet(self, signer: Signer) -> Party:
        """Returns somebody new, given native coin."""
        self._rpc.send("anvil_setBalance", to_hex(signer.address), hex(100 * COIN))
        return Party(self.gateway, signer)


def name_node(seq: int) -> Signer:
    """Returns the key of the node at a place of every tree here."""
    return Signer(keccak256(b"node %d" % seq))


def name_payout(seq: int) -> bytes:
    """Returns the address that this node is paid at, which nobody has paid before."""
    return keccak256(b"payout %d" % seq)[12:]


@dataclass(frozen=True)
class Claimants:
    """The places in a round whose nodes claim: ten spread over it, in one transaction, and three of them one by one."""

    ten: tuple[int, ...]

    @classmethod
    def among(cls, count: int) -> Self:
        """Returns those of a round of `count` contributions, at least ten."""
        return cls(tuple((2 * place + 1) * count // 20 for place in range(10)))

    @property
    def singles(self) -> tuple[int, ...]:
        """Three of the ten."""
        return self.ten[1::4][:3]
