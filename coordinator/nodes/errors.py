"""Why a node is refused."""

from __future__ import annotations

from coordinator.refusals import RequestRefused


class UnknownNode(RequestRefused):
    """This coordinator knows no such node."""

    status = 404

    def __init__(self, node: bytes) -> None:
        self.node = node
        super().__init__("this coordinator knows no such node: register it with POST /v1/nodes")


class RegistrationExpired(RequestRefused):
    """The registration's deadline has passed, or leaves too little time to send the transaction."""

    status = 422

    def __init__(self, deadline: int, earliest: int) -> None:
        self.deadline = deadline
        self.earliest = earliest
        super().__init__(
            f"deadline: expected {earliest} or later, got {deadline}: sign a registration with a later one"
        )


class AlreadyRegistered(RequestRefused):
    """The node is registered, or about to be, with another operator or payout."""

    status = 409

    def __init__(self, node: bytes, operator: bytes, payout: bytes, state: str) -> None:
        self.node = node
        self.operator = operator
        self.payout = payout
        self.state = state
        super().__init__(
            "the node has another registration already: to change its payout the operator sends a transaction "
            "(`tally node payout`)"
        )


class NotThisNode(RequestRefused):
    """The token belongs to another address than the node's."""

    status = 403

    def __init__(self, node: bytes, visitor: bytes) -> None:
        self.node = node
        self.visitor = visitor
        super().__init__("expected the token of the node itself: sign in with the node's key")


class TelemetryFull(RequestRefused):
    """The node has sent as many measurements about this round as are kept."""

    status = 429

    def __init__(self, limit: int, round_number: int) -> None:
        self.limit = limit
        self.round = round_number
        super().__init__(f"expected at most {limit} measurements about one round, got more about round {round_number}")
