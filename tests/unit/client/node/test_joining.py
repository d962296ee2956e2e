"""A person who names a payout address learns when a registered node is paid elsewhere."""

import pytest

from client.node.joining import Enrolment, OtherPayout, verify_payout
from ledger.hexadecimal import to_address
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
