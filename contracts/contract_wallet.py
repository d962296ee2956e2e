"""Wallets that are contracts: whether one approves a signature (ERC-1271)."""

from __future__ import annotations

from typing import Final

from contracts.abi import Interface
from contracts.chain import Chain
from contracts.execution import LATEST
from contracts.refusals import TransactionReverted
from ledger.hexadecimal import to_hex

MOST_GAS: Final = 3_000_000
"""Gas that a wallet may use to make up its mind; a multisignature of forty owners needs about 300,000."""

# bytes4(keccak256("isValidSignature(bytes32,bytes)")), padded as the answer comes (ERC-1271).
_MAGIC: Final = bytes.fromhex("1626ba7e") + bytes(28)
_INTERFACE: Final = Interface(
    "IERC1271",
    [
        {
            "type": "function",
            "name": "isValidSignature",
            "inputs": [{"name": "hash", "type": "bytes32"}, {"name": "signature", "type": "bytes"}],
            "outputs": [{"name": "magicValue", "type": "bytes4"}],
        }
    ],
)


def is_valid_signature(chain: Chain, wallet: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether there is a contract at `wallet` that approves the signature over a 32-byte digest (ERC-1271).

    A wallet that reverts, runs out of gas or answers anything but the magic value does not approve.

    Raises:
        ChainUnreachable: no answer after all retries.
        ProviderRefused: the provider does not run such a call.
    """
    if not chain.fetch_code(wallet):
        return False
    calldata = _INTERFACE.encode_call("isValidSignature", (digest, signature))
    request = {"to": to_hex(wallet), "data": to_hex(calldata), "gas": hex(MOST_GAS)}
    try:
        answer = chain.execution.run("IERC1271.isValidSignature", request, LATEST)
    except TransactionReverted:
        return False
    return answer[:32] == _MAGIC
