"""Why a claim is not relayed."""

from __future__ import annotations

from coordinator.refusals import RequestRefused


class NotFinalYet(RequestRefused):
    """The round can still be challenged: what it pays cannot be claimed yet."""

    status = 409

    def __init__(self, job: bytes, round_number: int, state: str, final_at: int | None) -> None:
        self.job, self.round, self.state, self.final_at = job, round_number, state, final_at
        when = (
            f"after {final_at} (unix seconds)" if final_at is not None else "once it is anchored and its window is over"
        )
        super().__init__(f"round {round_number} is {state}, expected final: claim {when}")


class NothingToClaim(RequestRefused):
    """Everything the entry earned has been drawn already."""

    status = 409

    def __init__(self, job: bytes, round_number: int, node: bytes, earned: int, claimed: int) -> None:
        self.job, self.round, self.node, self.earned, self.claimed = job, round_number, node, str(earned), str(claimed)
        super().__init__(
            f"the entry of round {round_number} says {earned} base units earned in the job, and {claimed} are claimed: "
            "claim again after a later round is final"
        )


class RelayLimit(RequestRefused):
    """The coordinator has paid for as much as it does in a day for this address."""

    status = 429

    def __init__(self, address: bytes, limit: int) -> None:
        self.address, self.limit = address, limit
        super().__init__(
            f"the coordinator relays {limit} claims a day for one node: try again later, or send the claim yourself "
            "with your own gas"
        )


class UnknownClaim(RequestRefused):
    """No claim has this number."""

    status = 404

    def __init__(self, claim: int) -> None:
        self.claim = claim
        super().__init__(f"claim {claim} is unknown: POST /v1/claims answers with a claim's number")
