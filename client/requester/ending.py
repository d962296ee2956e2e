"""Ending a job and taking back what was not earned: two transactions of the requester's, the second after a delay."""

from __future__ import annotations

from dataclasses import dataclass

from client.errors import ClientError
from client.output import format_time
from contracts.gateway import Gateway
from contracts.sender import Sender
from contracts.state import JobState
from ledger.hexadecimal import to_address, to_hex


class JobNotOpen(ClientError):
    """The chain knows no such job."""

    def __init__(self, job: bytes) -> None:
        self.job = job
        super().__init__(f"job {to_hex(job)} was never opened on this chain: there is nothing to close")


class NotYourJob(ClientError):
    """Another account pays for the job."""

    def __init__(self, job: bytes, expected: bytes, got: bytes) -> None:
        self.job, self.expected, self.got = job, expected, got
        super().__init__(
            f"job {to_hex(job)} belongs to {to_address(expected)}, this wallet is {to_address(got)}: use that wallet"
        )


@dataclass(frozen=True, slots=True)
class Ending:
    """What was done: `step` is requested, waiting or closed; `refunded` in base units of `token`."""

    step: str
    detail: str
    refunded: int
    token: bytes
    transaction: bytes | None


def close_job(gateway: Gateway, sender: Sender, job: bytes) -> Ending:
    """Takes the next step towards the end of a job that its state allows.

    1. what is closed is drawn; 2. what can be closed is closed and drawn; 3. a close that runs is waited for; 4. else
    the close is requested.

    Raises:
        JobNotOpen, NotYourJob: it is not ours to close.
        TransactionReverted: the contract refused.
    """
    state = gateway.fetch_job(job)
    if state is None:
        raise JobNotOpen(job)
    if state.requester != sender.address:
        raise NotYourJob(job, state.requester, sender.address)
    # 1
    if state.closed:
        return _draw(gateway, sender, state, "the job is closed")
    # 2
    if _is_closable(gateway, job, state):
        sender.execute(gateway.calls.close_job(job))
        return _draw(gateway, sender, state, "the job is closed now")
    # 3
    if state.closes_at:
        when = format_time(state.closes_at)
        return Ending(
            "waiting", f"the close takes effect at {when}, once the rounds before it are final", 0, state.token, None
        )
    # 4
    mined = sender.execute(gateway.calls.request_close(job))
    requested = gateway.fetch_job(job) or state
    when = format_time(requested.closes_at)
    detail = f"the close takes effect at {when}; run this again then, and what was not earned comes back"
    return Ending("requested", detail, 0, state.token, mined.hash)


def _is_closable(gateway: Gateway, job: bytes, state: JobState) -> bool:
    settled = state.posted == 0 or gateway.fetch_is_final(job, state.posted) or bool(state.halted)
    now = gateway.fetch_head().timestamp
    ended = state.posted == state.rounds or bool(state.halted) or bool(state.closes_at and now >= state.closes_at)
    return settled and ended


def _draw(gateway: Gateway, sender: Sender, state: JobState, detail: str) -> Ending:
    free = gateway.fetch_funds(sender.address, state.token)
    if free == 0:
        return Ending("closed", f"{detail}; everything has been drawn", 0, state.token, None)
    mined = sender.execute(gateway.calls.withdraw(sender.address, free, state.token))
    return Ending("closed", f"{detail}; what was not earned is back", free, state.token, mined.hash)
