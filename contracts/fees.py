"""What a unit of gas should cost now: EIP-1559 where blocks carry a base fee, one price elsewhere (EIP-155 chains)."""

from __future__ import annotations

from contracts.errors import ChainError, ProviderRefused
from contracts.rpc import Rpc
from contracts.transactions import Fees

DEFAULT_PRIORITY = 10**9
"""Wei, where a provider has no opinion."""

LEGACY_MARGIN_PERCENT = 10


class FeeAboveLimit(ChainError):
    """The chain asks for more than the sender is ready to pay for a unit of gas. Amounts in wei."""

    def __init__(self, needed: int, limit: int) -> None:
        self.needed = needed
        self.limit = limit
        super().__init__(
            f"expected a unit of gas to cost at most {limit} wei, got {needed} wei: "
            "wait until the chain is cheaper, or raise the limit if the provider is to be believed"
        )


def fetch_fees(rpc: Rpc, most_fee: int) -> Fees:
    """Return fees that the next blocks accept: twice the base fee plus the tip, cut to `most_fee` wei.

    A base fee rises by an eighth per block at most, so that twice of it holds for six full blocks.

    Raises:
        FeeAboveLimit: even the present base fee is higher than `most_fee`.
    """
    base_fee = rpc.fetch("eth_getBlockByNumber", "latest", False).get("baseFeePerGas")
    if base_fee is None:
        price = int(rpc.fetch("eth_gasPrice"), 16)
        if price > most_fee:
            raise FeeAboveLimit(price, most_fee)
        return Fees(min(most_fee, price + price * LEGACY_MARGIN_PERCENT // 100), None)
    base, priority = int(base_fee, 16), _fetch_priority(rpc)
    if base + priority > most_fee:
        raise FeeAboveLimit(base + priority, most_fee)
    return Fees(min(most_fee, 2 * base + priority), priority)


def _fetch_priority(rpc: Rpc) -> int:
    try:
        return int(rpc.fetch("eth_maxPriorityFeePerGas"), 16)
    except ProviderRefused:
        return DEFAULT_PRIORITY
