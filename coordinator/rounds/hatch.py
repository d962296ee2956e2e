"""The hatch: the requests that every node makes in every round, served straight from the wire.

All are routes of the application too, with the same work behind them; there each costs several times the processor
time. Only what is well-formed is served here: everything else goes on to its route as it came, and is refused there.
See docs/decisions/0030-hatch.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence

from pydantic import ValidationError
from starlette.datastructures import State
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coordinator.body_limit import MAX_JSON_BYTES
from coordinator.context import Context
from coordinator.problems import answer_refusal
from coordinator.refusals import RequestRefused
from coordinator.rounds import intake
from coordinator.rounds.counter import Arrival
from coordinator.rounds.desk import Offer, RoundDesk
from ledger import wire
from ledger.errors import Malformed, VerificationError

_POLL = ("GET", "/v1/assignments")
_CONTRIBUTION = ("POST", "/v1/contributions")
_WAIT = re.compile(rb"wait=([1-5]?[0-9])")
_BLOB = re.compile(r"/v1/blobs/([0-9a-f]{64})")
_PAYLOAD = re.compile(r"/v1/contributions/0x([0-9a-f]{64})/payload")
_DIGEST = re.compile(rb"0x([0-9a-f]{64})")
_LENGTH = re.compile(rb"[0-9]{1,12}")
_BEARER = b"Bearer "
_JSON = b"application/json"
_JSON_KIND = [(b"content-type", _JSON)]
_FILE = [(b"content-type", b"application/octet-stream"), (b"cache-control", b"private, max-age=31536000, immutable")]


class Hatch:
    """ASGI middleware before all others; `state` is the application's, which holds its context and desk."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a poll, a contribution, a payload or a public file; pass on what is none, or not well-formed."""
        request = (scope["method"], scope["path"]) if scope["type"] == "http" else None
        if request == _POLL:
            await self._poll(scope, receive, send)
        elif request == _CONTRIBUTION:
            await self._contribute(scope, receive, send)
        elif request is not None and (content := self._find_file(scope)) is not None:
            await _answer(send, content, _FILE)
        elif request is not None and (offer := _read_offer(scope)) is not None:
            await self._reveal(offer, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _find_file(self, scope: Scope) -> bytes | None:
        """The file that is asked for whole, if everyone may fetch it and it lies on the shelf."""
        path = _BLOB.fullmatch(scope["path"]) if scope["method"] == "GET" else None
        if path is None or any(name == b"range" for name, _ in scope["headers"]):
            return None
        context: Context = self._state.context
        return context.shelf.find(bytes.fromhex(path[1]))

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

    async def _reveal(self, offer: Offer, scope: Scope, receive: Receive, send: Send) -> None:
        desk: RoundDesk = self._state.desk
        try:
            view = await desk.take_payload(offer, _stream(receive))
        except ClientDisconnect:
            return
        except RequestRefused as refusal:
            await answer_refusal(refusal)(scope, receive, send)
        else:
            await _answer(send, view.model_dump_json(by_alias=True).encode())


def _read_offer(scope: Scope) -> Offer | None:
    """What a request to reveal says of its payload; None when it is no such request, or not well-formed."""
    path = _PAYLOAD.fullmatch(scope["path"]) if scope["method"] == "PUT" else None
    if path is None:
        return None
    headers = dict(scope["headers"])
    salt = _DIGEST.fullmatch(headers.get(b"tallystick-salt", b""))
    vector = _DIGEST.fullmatch(headers.get(b"tallystick-vector-commitment", b""))
    length = _LENGTH.fullmatch(headers.get(b"content-length", b"0"))
    if salt is None or vector is None or length is None:
        return None
    return Offer(
        bytes.fromhex(path[1]), bytes.fromhex(vector[1].decode()), bytes.fromhex(salt[1].decode()), int(length[0])
    )


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


async def _stream(receive: Receive) -> AsyncIterator[bytes]:
    """A body as it arrives. Raises ClientDisconnect when it breaks off."""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _repeat(messages: list[Message], receive: Receive) -> Receive:
    """Receives once more what was received, then what comes."""
    waiting = iter(messages)

    async def repeat() -> Message:
        return next(waiting, None) or await receive()

    return repeat


async def _answer(send: Send, body: bytes | None, kind: Sequence[tuple[bytes, bytes]] = _JSON_KIND) -> None:
    status, content = (204, b"") if body is None else (200, body)
    headers = [] if body is None else [*kind, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
