"""The chain that gas is measured on: one anvil under Prague's rules, our deployment, and a clock in our hands."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from contracts.abi import Interface
from contracts.chain import Chain
from contracts.deploy import deploy, plan_deployment
from contracts.devchain import CHAIN_ID, DevChain
from contracts.execution import LATEST, describe_request
from contracts.gateway import Gateway
from contracts.rpc import Rpc
from contracts.sender import Sender
from contracts.transactions import Call, compute_create_address
from ledger.hexadecimal import to_hex
from ledger.signatures import Signer

HARDFORK = "prague"

GAS_LIMIT = 16_000_000
"""Units of gas every transaction may use; what it did use stands in its receipt and does not depend on this."""

COIN = 10**18
POLL_SECONDS = 0.002


@dataclass(frozen=True)
class Contract:
    """A compiled contract of somebody else's."""

    interface: Interface
    creation_code: bytes

    @classmethod
    def read(cls, name: str, abi: Sequence[Mapping[str, Any]], bytecode: str) -> Self:
        """The contract of an artifact's parts; `bytecode` is hex, with or without 0x."""
        return cls(Interface(name, abi), bytes.fromhex(bytecode.removeprefix("0x")))

    def call(self, address: bytes, function: str, *arguments: object) -> Call:
        """A call of the contract at this address; structs are tuples, addresses 20 bytes."""
        return Call(address, self.interface.encode_call(function, arguments), 0, f"{self.interface.name}.{function}")


class Party:
    """Somebody with a key and native coin, who sends transactions and is told what they used."""

    def __init__(self, gateway: Gateway, signer: Signer) -> None:
        """Args: the chain, and the key."""
        self.signer = signer
        self.address = signer.address
        self._sender = Sender(gateway, signer, poll_seconds=POLL_SECONDS)

    def spend(self, call: Call) -> int:
        """The `gasUsed` of the call's receipt, in units of gas.

        Raises:
            TransactionReverted: the contract refused: what a failed call cost is no figure.
        """
        # The chain is taken back between measurements, and nonces with it: each is asked for anew.
        transaction = self._sender.sign(call, nonce=self._sender.fetch_mined_nonce(), gas=GAS_LIMIT)
        self._sender.broadcast(transaction)
        mined = self._sender.wait(transaction.hash)
        if mined.revert is not None:
            raise mined.revert
        return mined.gas_used

    def create(self, contract: Contract, *arguments: object) -> tuple[bytes, int]:
        """The address of a new contract, and the gas its creation used."""
        address = compute_create_address(self.address, self._sender.fetch_mined_nonce())
        data = contract.creation_code + contract.interface.encode_deployment(arguments)
        return address, self.spend(Call(b"", data, 0, f"{contract.interface.name} (creation)"))


class Stand:
    """A running chain with the contracts of this project on it, and everybody who acts.

    Attributes:
        holder: has all tokens.
        requester: with native coin, as all of these.
        coordinator: posts our rounds.
        stranger: sends what anybody may send.
    """

    def __init__(self, chain: DevChain) -> None:
        """Deploys on a chain that nothing happened on."""
        self._rpc = Rpc(chain.url, timeout_seconds=60)
        signers = [Signer(account.private_key) for account in chain.accounts[:4]]
        sender = Sender(Chain(self._rpc, CHAIN_ID), signers[0], poll_seconds=POLL_SECONDS)
        self.gateway = Gateway(self._rpc, deploy(sender, plan_deployment(sender)))
        self.holder, self.requester, self.coordinator, self.stranger = (Party(self.gateway, one) for one in signers)

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Start the chain, and stop it afterwards."""
        with DevChain.start(block_seconds=None, accounts=4, hardfork=HARDFORK) as chain:
            stand = cls(chain)
            try:
                yield stand
            finally:
                stand.gateway.close()

    @property
    def token(self) -> bytes:
        """Address of the one ERC-20 in which everybody here is paid."""
        return self.gateway.deployment.tally_token

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Take the chain back afterwards, so that every measurement finds the same slots empty."""
        snapshot = self._rpc.send("evm_snapshot")
        yield
        self._rpc.send("evm_revert", snapshot)
        # Anvil would set its clock back with the chain, before blocks that stay.
        self._rpc.send("evm_setTime", hex(max(int(time.time()), self.gateway.fetch_head().timestamp)))

    def pass_time(self, seconds: int) -> None:
        """Mine a block this much later than the newest one."""
        self._rpc.send("evm_setNextBlockTimestamp", hex(self.gateway.fetch_head().timestamp + seconds))
        self._rpc.send("anvil_mine", "0x1")

    def ask(self, interface: Interface, address: bytes, function: str, *arguments: object) -> tuple[Any, ...]:
        """What a view function answers, one element per output."""
        call = Call(address, interface.encode_call(function, arguments), 0, f"{interface.name}.{function}")
        answer = self.gateway.execution.run(call.label, describe_request(call, self.stranger.address), LATEST)
        return interface.decode_result(function, answer)

    def meet(self, signer: Signer) -> Party:
        """Somebody new, given native coin."""
        self._rpc.send("anvil_setBalance", to_hex(signer.address), hex(COIN))
        return Party(self.gateway, signer)
