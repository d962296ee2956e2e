"""The chain, as the programs meet it: a provider's address and a pin become a gateway to contracts that we know."""

from __future__ import annotations

from collections.abc import Callable

from client.errors import UsageRefused
from client.money import Token
from client.pins import Pin
from contracts.abi import MalformedAnswer
from contracts.chain import Chain
from contracts.errors import ChainUnreachable, ProviderRefused
from contracts.gateway import Gateway
from contracts.inspection import inspect_deployment
from contracts.refusals import TransactionReverted
from contracts.rpc import Rpc
from contracts.state import Anchor, Block
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


def fetch_token(gateway: Gateway, token: bytes, at: Block | None = None) -> Token | None:
    """How a token says that its amounts are shown, None where it says nothing that can be shown."""
    try:
        return Token(*gateway.fetch_token_display(token, at))
    except (TransactionReverted, ProviderRefused, MalformedAnswer):
        return None


class ChainAnchors:
    """Looks at the chain for anchors; connects at the first look. A provider without an answer has confirmed nothing.

    Args:
        url: the provider.
        pin: which contracts.
        start_block: where their events begin.
        tell: hears once why the chain cannot be asked.
    """

    def __init__(self, url: str, pin: Pin, start_block: int, tell: Callable[[str], None]) -> None:
        self._url, self._pin, self._start_block, self._tell = url, pin, start_block, tell
        self._gateway: Gateway | None = None
        self._silent = False

    def is_anchored(self, header: Signed[RoundHeader], final_at: int) -> bool:
        """Whether the chain keeps exactly this header.

        Raises:
            WrongChain, ContractMissing, DeploymentDiffers, VerificationError: the provider serves other contracts.
        """
        try:
            self._gateway = self._gateway or connect_chain(self._url, self._pin, self._start_block)
            state = self._gateway.fetch_round(header.statement.job, header.statement.round)
        except ChainUnreachable as error:
            if not self._silent:
                self._silent = True
                self._tell(str(error))
            return False
        self._silent = False
        return state is not None and state.anchor == compute_anchor(header, final_at, self._gateway).word()
