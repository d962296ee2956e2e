"""Vouchers as the platform signs them: EIP-712 typed data, by eth-account, under the domain of the job's ledger.

Written from docs/protocol.md alone, as any platform would; it shares no code with those who verify them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from eth_account import Account
from eth_account.messages import encode_typed_data
from pydantic import BaseModel, ConfigDict, Field

from client.demo.platform.catalogue import Catalogue
from client.demo.platform.register import Register

LARGEST: Final = 2**53 - 1
"""The largest integer that every JSON reader reads as it is."""

_TYPES: Final = {
    "Voucher": [
        {"name": "job", "type": "bytes32"},
        {"name": "round", "type": "uint64"},
        {"name": "node", "type": "address"},
        {"name": "viewers", "type": "uint64"},
        {"name": "samples", "type": "uint64"},
    ]
}


class VoucherWish(BaseModel):
    """What a node asks for: a voucher for one of its rounds, for a ledger on a chain."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    job: Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
    round: Annotated[int, Field(ge=1, le=LARGEST)]
    node: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
    chain_id: Annotated[int, Field(ge=1, le=LARGEST, alias="chainId")]
    ledger: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


class VoucherDesk:
    """Signs vouchers for what was served.

    Args:
        catalogue: what there is to serve.
        register: what was served, and vouched for.
        key: 32 bytes; its address is what job specs name as the platform.
    """

    def __init__(self, catalogue: Catalogue, register: Register, key: bytes) -> None:
        self._catalogue, self._register = catalogue, register
        self._account = Account.from_key(key)

    @property
    def address(self) -> str:
        """Who signs."""
        return str(self._account.address)

    def note_served(self, viewers: Sequence[str], after: int, upto: int) -> None:
        """Notes that a page of histories was handed out."""
        self._register.note_served(viewers, after, upto)

    def vouch(self, wish: VoucherWish, viewers: Sequence[str]) -> dict[str, object]:
        """The statement and its signature, for whom the token names. Raises NothingToVouch."""
        job, node = bytes.fromhex(wish.job[2:]), bytes.fromhex(wish.node[2:])
        amount = self._register.vouch(job, wish.round, node, viewers, self._catalogue.count)
        statement = {
            "job": wish.job,
            "round": wish.round,
            "node": wish.node.lower(),
            "viewers": amount.viewers,
            "samples": amount.samples,
        }
        domain = {
            "name": "Tallystick",
            "version": "1",
            "chainId": wish.chain_id,
            "verifyingContract": wish.ledger.lower(),
        }
        signable = encode_typed_data(domain_data=domain, message_types=_TYPES, message_data=statement)
        signature = self._account.sign_message(signable).signature
        return {"statement": statement, "signature": f"0x{bytes(signature).hex()}"}
