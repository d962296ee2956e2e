"""A job's events as the coordinator tells them: its state, its rounds, its log; after a break all is told anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from client.api import Api
from client.errors import TransportMangled, TransportUnreachable
from client.transport import Patience, Remarks
from ledger.hexadecimal import to_hex
from ledger.wire import JobView, LogLine, RoundView

JobEvent = JobView | RoundView | LogLine

_KINDS: dict[str, type[JobView | RoundView | LogLine]] = {
    "job": JobView,
    "round": RoundView,
    "log": LogLine,
}


def follow_job(
    api: Api, job: bytes, patience: Patience, remarks: Remarks, sleep: Callable[[float], None] = time.sleep
) -> Iterator[JobEvent]:
    """Yields events without end; a break is waited out as long as the patience says.

    Raises:
        CoordinatorRefused: there is no such job.
        TransportMangled: an event that is no message.
        TransportUnreachable: the coordinator stayed away.
    """
    path = f"/v1/jobs/{to_hex(job)}/events"
    attempt = 0
    while True:
        try:
            for event in _read(api.url + path, api.follow(path)):
                attempt = 0
                remarks.found(api.url)
                yield event
            reason = "the stream ended"
        except TransportUnreachable as error:
            reason = error.reason
        attempt += 1
        remarks.lost(api.url, reason)
        if patience.is_spent(attempt):
            raise TransportUnreachable(api.url, reason, attempt)
        sleep(patience.draw_wait(attempt))


def _read(url: str, lines: Iterator[str]) -> Iterator[JobEvent]:
    """Server-Sent Events as this coordinator writes them: one `event` and one `data` line each."""
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data" and kind in _KINDS:
            try:
                yield _KINDS[kind].model_validate_json(value)
            except ValueError as error:
                raise TransportMangled(url, str(error).splitlines()[0]) from None
