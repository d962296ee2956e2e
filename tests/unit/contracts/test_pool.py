"""What clients answer to a broadcast, in their own words."""

import pytest

from contracts.errors import ProviderRefused
from contracts.pool import Outcome, classify


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("already known", Outcome.KNOWN),
        ("AlreadyKnown", Outcome.KNOWN),
        ("Known transaction", Outcome.KNOWN),
        ("transaction already imported", Outcome.KNOWN),
        ("Transaction with the same hash was already imported.", Outcome.KNOWN),
        ("nonce too low: next nonce 7, tx nonce 3", Outcome.NONCE_SPENT),
        ("OldNonce", Outcome.NONCE_SPENT),
        ("Transaction nonce is too low. Try incrementing the nonce.", Outcome.NONCE_SPENT),
        ("Transaction nonce is below sender account nonce", Outcome.NONCE_SPENT),
        ("replacement transaction underpriced", Outcome.FEE_TOO_LOW),
        ("transaction underpriced: tip needed 1, tip permitted 0", Outcome.FEE_TOO_LOW),
        ("max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1", Outcome.FEE_TOO_LOW),
        ("FeeTooLow, MaxFeePerGas too low", Outcome.FEE_TOO_LOW),
        ("FeeTooLowToCompete", Outcome.FEE_TOO_LOW),
        ("Gas price below configured minimum gas price", Outcome.FEE_TOO_LOW),
        ("insufficient funds for gas * price + value: balance 0", Outcome.UNPAYABLE),
        ("Insufficient funds for gas * price + value", Outcome.UNPAYABLE),
        ("Upfront cost exceeds account balance", Outcome.UNPAYABLE),
        ("intrinsic gas too low", Outcome.REFUSED),
        ("exceeds block gas limit", Outcome.REFUSED),
    ],
)
def test_wording_is_understood(text: str, outcome: Outcome) -> None:
    assert classify(ProviderRefused("eth_sendRawTransaction", -32000, text)) is outcome
