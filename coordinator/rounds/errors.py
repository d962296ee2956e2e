"""Why a contribution, a payload or a question about a round is refused."""

from __future__ import annotations

from typing import Any

from coordinator.refusals import RequestRefused


class UnknownRound(RequestRefused):
    """The job has no such round yet."""

    status = 404

    def __init__(self, job: bytes, round_number: int) -> None:
        self.job = job
        self.round = round_number
        super().__init__(
            f"job 0x{job.hex()} has no round {round_number} yet: look at GET /v1/jobs/0x{job.hex()}/rounds"
        )


class NotSealedYet(RequestRefused):
    """The round has no header, entries or evidence before it is sealed."""

    status = 409

    def __init__(self, job: bytes, round_number: int, state: str) -> None:
        self.job = job
        self.round = round_number
        self.state = state
        super().__init__(f"round {round_number} is {state}: expected a sealed round; ask again later")


class NotClosedYet(RequestRefused):
    """The commit phase is open: nobody may reveal, and there is no closing."""

    status = 409

    def __init__(self, job: bytes, round_number: int, commit_deadline: int) -> None:
        self.job = job
        self.round = round_number
        self.commit_deadline = commit_deadline
        super().__init__(
            f"round {round_number} still takes commitments, until {commit_deadline} at the latest: "
            "reveal only against its signed closing"
        )


class JobNotRunning(RequestRefused):
    """The job takes no contributions: not funded, finished, closed or rejected."""

    status = 409

    def __init__(self, job: bytes, state: str) -> None:
        self.job = job
        self.state = state
        why = {"accepted": "it is not funded on chain yet"}.get(state, f"it is {state}")
        super().__init__(
            f"job 0x{job.hex()} takes no contributions: {why}; ask for an assignment, it names a running job"
        )


class RoundClosed(RequestRefused):
    """The round takes no contributions: it is past its commit phase, or none is open."""

    status = 409

    def __init__(self, job: bytes, round_number: int, state: str, current: int | None) -> None:
        self.job = job
        self.round = round_number
        self.state = state
        self.current = current
        expected = "none is open now" if current is None else f"round {current} is the newest"
        super().__init__(
            f"round {round_number} takes no contributions, it is {state}; {expected}: ask for an assignment"
        )


class CohortFull(RequestRefused):
    """The round has as many nodes as its spec allows."""

    status = 409

    def __init__(self, job: bytes, round_number: int, maximum: int) -> None:
        self.job = job
        self.round = round_number
        self.maximum = maximum
        super().__init__(f"round {round_number} has its {maximum} nodes: ask for an assignment in the next round")


class NodeNotAdmitted(RequestRefused):
    """The node may not contribute to this job."""

    status = 403

    def __init__(self, node: bytes, expected: str, got: str) -> None:
        self.node = node
        self.expected = expected
        self.got = got
        super().__init__(
            f"node: expected {expected}, got {got}: `tally node status` shows how it is registered, "
            "`tally node stake` what it has at stake"
        )


class WrongContribution(RequestRefused):
    """A signed field does not fit the open round."""

    status = 422

    def __init__(self, field: str, expected: Any, got: Any) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(f"{field}: expected {_read(expected)}, got {_read(got)}: sign what the assignment says")


class WrongVoucher(RequestRefused):
    """The contribution's voucher is missing, or does not stand for this contribution of this job."""

    status = 422

    def __init__(self, field: str, expected: Any, got: Any) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(
            f"{field}: expected {_read(expected)}, got {_read(got)}: ask the job's platform for this node's voucher of "
            "this round, and sign a report that names it"
        )


class AlreadyContributed(RequestRefused):
    """The node signed another contribution to this round before; `receipt` is the one it has."""

    status = 409

    def __init__(self, first: bytes, second: bytes, receipt: dict[str, Any]) -> None:
        self.first = first
        self.second = second
        self.receipt = receipt
        super().__init__(
            f"the node has contributed 0x{first.hex()} to this round, got another one 0x{second.hex()}: "
            "reveal the first; two signatures are a proof against whoever gave them"
        )


class UnknownContribution(RequestRefused):
    """This coordinator gave no receipt for such a contribution."""

    status = 404

    def __init__(self, contribution: bytes) -> None:
        self.contribution = contribution
        super().__init__(f"there is no receipt for contribution 0x{contribution.hex()}: send the contribution first")


class RevealClosed(RequestRefused):
    """The reveal phase is over: the contribution stands in the tally as unrevealed."""

    status = 409

    def __init__(self, job: bytes, round_number: int, state: str, reveal_deadline: int | None) -> None:
        self.job = job
        self.round = round_number
        self.state = state
        self.reveal_deadline = reveal_deadline
        super().__init__(
            f"round {round_number} takes no payloads any more: it is {state}, expected one before {reveal_deadline}; "
            "the contribution stands as unrevealed, ask for an assignment in the next round"
        )


class NotOpened(RequestRefused):
    """The payload, salt and vector commitment do not open the commitment; nothing was kept, they may be sent again."""

    status = 422

    def __init__(self, commitment: bytes, got: bytes, payload_sha256: bytes, size_bytes: int) -> None:
        self.commitment = commitment
        self.got = got
        self.payload_sha256 = payload_sha256
        self.size_bytes = size_bytes
        super().__init__(
            f"expected an opening of 0x{commitment.hex()}, got one of 0x{got.hex()} ({size_bytes} bytes with SHA-256 "
            f"{payload_sha256.hex()}): nothing was kept, send the payload again as it was committed to"
        )


class MalformedPayload(RequestRefused):
    """The payload opens the commitment but is no update of this job; it is recorded and gets verdict 3."""

    status = 422

    def __init__(self, contribution: bytes, problem: str) -> None:
        self.contribution = contribution
        self.problem = problem
        self.recorded = True
        super().__init__(f"{problem}; the node signed for exactly these bytes, so they are recorded and get verdict 3")


class EvidenceNotForYou(RequestRefused):
    """The job's evidence is for signed-in auditors."""

    status = 401

    def __init__(self, job: bytes) -> None:
        self.job = job
        super().__init__("this job's evidence is for signed-in auditors: sign in with POST /v1/auth/login")


class UnknownEvidence(RequestRefused):
    """The round has no evidence file of this name."""

    status = 404

    def __init__(self, name: str, names: list[str]) -> None:
        self.name = name
        self.names = names
        super().__init__(f"there is no evidence file {name!r} in this round: there are {', '.join(names)}")


class UnknownEntry(RequestRefused):
    """The node has no entry in this round."""

    status = 404

    def __init__(self, job: bytes, round_number: int, node: bytes) -> None:
        self.job = job
        self.round = round_number
        self.node = node
        super().__init__(f"the node has no entry in round {round_number}: it sent no contribution to it")


def _read(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
