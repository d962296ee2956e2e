"""The chain, as the programs meet it: a provider's address and a pin become a gateway to contracts that we know."""

from __future__ import annotations

from client.errors import UsageRefused
from client.pins import Pin
from contracts.chain import Chain
from contracts.errors import ChainError
from contracts.gateway import Gateway
from contracts.inspection import inspect_deployment
from contracts.rpc import Rpc
from contracts.state import Anchor
from ledger.errors import VerificationError
from ledger.hexadecimal import to_address
from ledger.statements import RoundHeader, Signed
from ledger.wire import Info


def choose_rpc(given: str | None, info: Info) -> str:
    """The provider to ask: the one that was given, else the one the coordinator names.

    Raises:
        UsageRefused: neither names one.
    """
    url = given or info.rpc_url
    if not url:
        raise UsageRefused("the coordinator names no RPC provider: give --rpc, or set TALLY_RPC")
    return url


def connect_chain(url: str, pin: Pin, start_block: int = 0) -> Gateway:
    """A gateway to the pinned contracts, after a look at their code on chain.

    Raises:
        ChainUnreachable, WrongChain, ContractMissing, DeploymentDiffers: as `contracts.inspection` raises them.
        VerificationError: `pin`: the ledger works with another registry or token than the coordinator said.
    """
    rpc = Rpc(url)
    try:
        chain = Chain(rpc, pin.chain_id)
        chain.verify()
        deployment = inspect_deployment(chain, pin.job_ledger, block=start_block)
    except BaseException:
        rpc.close()
        raise
    found = {"node registry": deployment.node_registry, "token": deployment.tally_token}
    for name, expected in (("node registry", pin.node_registry), ("token", pin.token)):
        if found[name] != expected:
            detail = f"the contracts on chain use another {name} than the coordinator says: do not use it"
            raise VerificationError("pin", detail, to_address(expected), to_address(found[name]))
    return Gateway(rpc, deployment)


def compute_anchor(header: Signed[RoundHeader], final_at: int, gateway: Gateway) -> Anchor:
    """The four words the chain must keep of a header."""
    head = header.statement
    return Anchor(head.digest(gateway.domain), head.entries_root, head.count, final_at)


class ChainAnchors:
    """Looks at the chain for anchors; a provider that cannot be asked has confirmed nothing."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def is_anchored(self, header: Signed[RoundHeader], final_at: int) -> bool:
        """Whether the chain keeps exactly this header."""
        try:
            state = self.gateway.fetch_round(header.statement.job, header.statement.round)
        except ChainError:
            return False
        return state is not None and state.anchor == compute_anchor(header, final_at, self.gateway).word()
