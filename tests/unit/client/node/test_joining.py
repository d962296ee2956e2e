"""A person who names a payout address learns when a registered node is paid elsewhere."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from client.api import AsyncApi
from client.node.operator.joining import Enrolment, OtherPayout, ensure_registered, verify_payout
from client.pins import Pin
from ledger.hexadecimal import to_address
from ledger.signatures import Signer
from ledger.wire import NodeView

NODE, OPERATOR, PAYOUT, OTHER = (bytes([number]) * 20 for number in range(1, 5))
VIEW = NodeView.model_construct(node=NODE, operator=OPERATOR, payout=PAYOUT)


def test_payout_that_was_asked_for_is_fine() -> None:
    verify_payout(VIEW, Enrolment(OPERATOR, PAYOUT, insisted=False))
    own = NodeView.model_construct(node=NODE, operator=OPERATOR, payout=NODE)
    verify_payout(own, Enrolment(OPERATOR, None, insisted=False))


@pytest.mark.parametrize(("asked", "expected"), [(OTHER, OTHER), (None, NODE)], ids=["an address", "the node"])
def test_other_payout_is_told_with_the_command_that_changes_it(asked: bytes | None, expected: bytes) -> None:
    with pytest.raises(OtherPayout, match=f"`tally node payout {to_address(expected)}` changes that"):
        verify_payout(VIEW, Enrolment(OPERATOR, asked, insisted=False))


@pytest.mark.parametrize("insisted", [False, True])
async def test_node_that_starts_is_told_too(insisted: bool) -> None:
    """`tally node run --payout` must not go on in silence with the address that the node registered with."""
    signer = Signer(bytes([7]) * 32)
    known = NodeView.model_construct(node=signer.address, operator=OPERATOR, payout=PAYOUT, state="registered")

    async def fetch(_: Any) -> NodeView:
        return known

    enrolment = Enrolment(OPERATOR, OTHER, insisted=False, payout_insisted=insisted)
    joined = ensure_registered(
        cast("AsyncApi", SimpleNamespace(fetch=fetch)),
        cast("Pin", None),
        [signer],
        enrolment,
        version="1",
        now=lambda: 0.0,
        tell=lambda _registered, _of: None,
    )
    if insisted:
        with pytest.raises(OtherPayout, match="`tally node payout"):
            await joined
    else:
        assert await joined == [known]
