"""What every exchange over HTTP has in common: how often it is tried, how long to wait, what an answer means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from client.call import Answer, Call
from client.errors import CoordinatorRefused, TransportMangled, UsageRefused

T = TypeVar("T")

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
# A stream of events says something, if only a comment, every fifteen seconds.
SILENCE_SECONDS = 60.0
ERROR_LIMIT_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Patience:
    """How an exchange that got no answer is repeated: exponential waits with jitter.

    Attributes:
        attempts: how often it is tried; None for without end.
        first_seconds: the first wait, doubled each time.
        longest_seconds: no wait is longer.
        random: draws the jitter, so that many nodes do not come back at one instant.
    """

    attempts: int | None = 5
    first_seconds: float = 0.25
    longest_seconds: float = 30.0
    random: Random = field(default_factory=Random, repr=False)

    def is_spent(self, attempt: int) -> bool:
        """Whether attempt number `attempt`, from 1, was the last."""
        return self.attempts is not None and attempt >= self.attempts

    def draw_wait(self, attempt: int) -> float:
        """Seconds to wait after attempt number `attempt`: half fixed, half drawn."""
        longest = min(self.longest_seconds, self.first_seconds * 2 ** min(attempt - 1, 30))
        return float(longest * (0.5 + 0.5 * self.random.random()))


class Remarks(Protocol):
    """Is told when a service stops answering and when it answers again; each change is said once."""

    def lost(self, url: str, reason: str) -> None:
        """No answer came."""

    def found(self, url: str) -> None:
        """An answer came."""


class Silence:
    """Remarks that nobody needs to hear."""

    def lost(self, url: str, reason: str) -> None:
        """Says nothing."""

    def found(self, url: str) -> None:
        """Says nothing."""


class Unanswered(Exception):
    """One attempt failed in a way that another may not; the loops of `api.py` decide."""


def check_url(url: str) -> str:
    """The address without a trailing slash. Raises UsageRefused when it is no http or https address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageRefused(f"expected an address such as https://tally.example, got {url!r}")
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether the address is this machine, where a proxy from the environment could only break things."""
    return urlsplit(url).hostname in LOOPBACK


def choose_timeout(call: Call[T]) -> httpx.Timeout:
    """Time limits of one attempt in seconds."""
    return httpx.Timeout(
        CONNECT_SECONDS, read=ANSWER_SECONDS + call.wait_seconds, write=ANSWER_SECONDS + call.wait_seconds
    )


def compose_headers(call: Call[T], token: str | None) -> dict[str, str]:
    """The request's headers; answers come uncompressed, so that a small one cannot unfold into a large one."""
    headers = {"Accept-Encoding": "identity", **call.headers}
    return headers if token is None else headers | {"Authorization": f"Bearer {token}"}


def describe_failure(error: httpx.TransportError) -> str:
    """One short reason, for people."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return str(error) or type(error).__name__


def verify_status(url: str, answer: Answer) -> None:
    """Passes good answers on.

    Raises:
        Unanswered: the other side is overloaded or broken (5xx, or 429 without reasons): try again.
        CoordinatorRefused: it said no, with reasons.
    """
    if answer.status < 400:
        return
    body = _read_error(answer.content)
    if answer.status >= 500 or (answer.status == 429 and body is None):
        raise Unanswered(f"status {answer.status}" + (f": {body['detail']}" if body else ""))
    if body is None:
        detail = f"{url} refused without a reason: is this the address of a coordinator, and a path that it has?"
        raise CoordinatorRefused(url, answer.status, "NoReason", detail, {})
    operands = {name: value for name, value in body.items() if name not in ("error", "detail")}
    raise CoordinatorRefused(url, answer.status, str(body["error"]), str(body["detail"]), operands)


def read_result(url: str, call: Call[T], answer: Answer) -> T:
    """What the call asked for. Raises TransportMangled when the answer is no such message."""
    try:
        return call.decode(answer)
    except ValueError as error:
        raise TransportMangled(url, _shorten(error)) from None


def _read_error(content: bytes) -> Mapping[str, object] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and {"error", "detail"} <= body.keys() else None


def _shorten(error: ValueError) -> str:
    errors: Callable[[], list[dict[str, object]]] | None = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    place = ".".join(str(part) for part in first["loc"]) if isinstance(first["loc"], tuple) else ""
    return f"{place or 'message'}: {first['msg']}"
