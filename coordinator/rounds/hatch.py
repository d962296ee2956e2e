"""The hatch: the two requests that every node makes in every round, served straight from the wire.

Both are routes of the application too, with the same work behind them; there each costs several times the processor
time. Only what is well-formed is served here: everything else goes on to its route as it came, and is refused there.
See docs/decisions/0014-hatch.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pydantic import ValidationError
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coordinator.body_limit import MAX_JSON_BYTES
from coordinator.context import Context
from coordinator.problems import answer_refusal
from coordinator.refusals import RequestRefused
from coordinator.rounds import intake
from coordinator.rounds.counter import Arrival
from coordinator.rounds.desk import RoundDesk
from ledger import wire
from ledger.errors import Malformed, VerificationError

_POLL = ("GET", "/v1/assignments")
_CONTRIBUTION = ("POST", "/v1/contributions")
_WAIT = re.compile(rb"wait=([1-5]?[0-9])")
_BEARER = b"Bearer "
_JSON = b"application/json"


class Hatch:
    """ASGI middleware before all others; `state` is the application's, which holds its context and desk."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a poll or a contribution; pass on what is neither, or not well-formed."""
        request = (scope["method"], scope["path"]) if scope["type"] == "http" else None
        if request == _POLL:
            await self._poll(scope, receive, send)
        elif request == _CONTRIBUTION:
            await self._contribute(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _poll(self, scope: Scope, receive: Receive, send: Send) -> None:
        context: Context = self._state.context
        wait = _WAIT.fullmatch(scope["query_string"])
        token = dict(scope["headers"]).get(b"authorization", b"")
        known = context.known_tokens.get(token[len(_BEARER) :].decode("latin-1")) if token.startswith(_BEARER) else None
        if wait is None or known is None or context.now > known[1]:
            await self._app(scope, receive, send)
            return
        desk: RoundDesk = self._state.desk
        await _answer(send, await desk.assignments.find(known[0], float(wait[1])))

    async def _contribute(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages, body = await _read(receive)
        arrival = None if body is None else _examine(self._state.context, dict(scope["headers"]), body)
        if arrival is None:
            await self._app(scope, _repeat(messages, receive), send)
            return
        desk: RoundDesk = self._state.desk
        try:
            receipt = await desk.intake.submit(arrival)
        except RequestRefused as refusal:
            await answer_refusal(refusal)(scope, receive, send)
        else:
            await _answer(send, receipt)


def _examine(context: Context, headers: Mapping[bytes, bytes], body: bytes) -> Arrival | None:
    """The contribution; None when it is not well-formed, not signed as it must be, or not said to be JSON."""
    if headers.get(b"content-type") != _JSON:
        return None
    try:
        return intake.examine(context, wire.ContributionRequest.model_validate(json.loads(body)))
    except (ValidationError, ValueError, RecursionError, Malformed, VerificationError, RequestRefused):
        return None


async def _read(receive: Receive) -> tuple[list[Message], bytes | None]:
    """What came of a request, and its body; None instead of a body that is too large or broke off."""
    messages: list[Message] = []
    size = 0
    while True:
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
        if messages[-1]["type"] != "http.request" or size > MAX_JSON_BYTES:
            return messages, None
        if not messages[-1].get("more_body", False):
            return messages, b"".join(message.get("body", b"") for message in messages)


def _repeat(messages: list[Message], receive: Receive) -> Receive:
    """Receives once more what was received, then what comes."""
    waiting = iter(messages)

    async def repeat() -> Message:
        return next(waiting, None) or await receive()

    return repeat


async def _answer(send: Send, body: bytes | None) -> None:
    status, content = (204, b"") if body is None else (200, body)
    headers = [] if body is None else [(b"content-type", _JSON), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
