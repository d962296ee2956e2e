"""ERC-2612: allowing somebody to take tokens by a signature, which anyone may send."""

from __future__ import annotations

from contracts.gateway import Gateway
from ledger.eip712 import Domain, compute_digest
from ledger.signatures import Signer
from ledger.structs import define_type

PERMIT = define_type("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")

# Name and version of the token's own domain (TallyToken.sol, OpenZeppelin's ERC20Permit).
TOKEN_NAME, TOKEN_VERSION = "Tally", "1"


def sign_permit(gateway: Gateway, signer: Signer, spender: bytes, amount: int, deadline: int) -> bytes:
    """Return the owner's signature for `Calls.permit`, for the deployment's TallyToken.

    Args:
        gateway: tells the owner's next permit nonce.
        signer: the owner's.
        spender: who may take the tokens.
        amount: base units.
        deadline: unix seconds, until when it may be sent.
    """
    nonce = gateway.fetch_permit_nonce(signer.address)
    domain = Domain(TOKEN_NAME, TOKEN_VERSION, gateway.chain_id, gateway.deployment.tally_token)
    digest = compute_digest(domain, PERMIT.hash((signer.address, spender, amount, nonce, deadline)))
    return signer.sign(digest)
