"""The coordinator's HTTP API, for commands (`Api`) and for event loops (`AsyncApi`); `client/calls.py` lists requests.

An exchange without an answer is repeated with growing waits as long as `Patience` says; every answer is read up to its
limit and no further.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

import httpx
import sniffio

from client.call import MESSAGE_LIMIT_BYTES, Answer, Call
from client.errors import TransportOverflow, TransportUnreachable
from client.transport import (
    CONNECT_SECONDS,
    ERROR_LIMIT_BYTES,
    SILENCE_SECONDS,
    Patience,
    Remarks,
    Silence,
    Unanswered,
    check_url,
    choose_timeout,
    compose_headers,
    describe_failure,
    is_loopback,
    read_result,
    verify_status,
)
from contracts.recursion import keep_recursion_limit

T = TypeVar("T")

KEPT = httpx.Limits(max_keepalive_connections=4, keepalive_expiry=60.0)
"""Connections are kept between the requests of a round; a new one costs as much as a request."""


class Api:
    """Talks to one coordinator and blocks.

    Args:
        url: the coordinator's address.
        patience: how exchanges without an answer are repeated.
        remarks: is told when the coordinator stops answering and answers again.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: Patience | None = None,
        remarks: Remarks | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        keep_recursion_limit()
        self.url = check_url(url)
        self._patience = patience or Patience()
        self._remarks = remarks or Silence()
        self._sleep = sleep
        self._http = httpx.Client(trust_env=not is_loopback(url), limits=KEPT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def fetch(self, call: Call[T], token: str | None = None) -> T:
        """Sends a request and returns its result.

        Raises:
            TransportUnreachable: no answer after all attempts.
            TransportOverflow, TransportMangled: an answer that no coordinator gives.
            CoordinatorRefused: it said no.
            VerificationError: the answer is not what its digest says.
        """
        attempt = 1
        while True:
            try:
                answer = self._exchange(call, token)
                verify_status(self.url + call.path, answer)
            except Unanswered as failure:
                self._remarks.lost(self.url, str(failure))
                if not call.repeatable or self._patience.is_spent(attempt):
                    raise TransportUnreachable(self.url, str(failure), attempt) from None
            else:
                self._remarks.found(self.url)
                return read_result(self.url + call.path, call, answer)
            self._sleep(self._patience.draw_wait(attempt))
            attempt += 1

    def follow(self, path: str) -> Iterator[str]:
        """Lines of an endless answer (Server-Sent Events), until it breaks off.

        Raises:
            TransportUnreachable: no answer, or it broke off; what was missed is told again by a new call.
            TransportOverflow: a line longer than any message.
            CoordinatorRefused: it said no.
        """
        timeout = httpx.Timeout(CONNECT_SECONDS, read=SILENCE_SECONDS)
        try:
            with self._http.stream(
                "GET", self.url + path, headers={"Accept": "text/event-stream"}, timeout=timeout
            ) as answer:
                if answer.status_code >= 400:
                    verify_status(self.url + path, Answer(answer.status_code, answer.read()[:ERROR_LIMIT_BYTES]))
                for line in answer.iter_lines():
                    if len(line) > MESSAGE_LIMIT_BYTES:
                        raise TransportOverflow(self.url + path, MESSAGE_LIMIT_BYTES)
                    yield line
        except httpx.TransportError as error:
            raise TransportUnreachable(self.url, describe_failure(error), 1) from None
        except Unanswered as error:
            raise TransportUnreachable(self.url, str(error), 1) from None

    def _exchange(self, call: Call[T], token: str | None) -> Answer:
        try:
            with self._http.stream(
                call.method,
                self.url + call.path,
                params=call.params or None,
                content=call.body,
                headers=compose_headers(call, token),
                timeout=choose_timeout(call),
            ) as response:
                meter = Meter(self.url + call.path, response, call.limit_bytes)
                for chunk in response.iter_bytes():
                    meter.add(chunk)
                return meter.answer()
        except httpx.TransportError as error:
            raise Unanswered(describe_failure(error)) from None


class AsyncApi:
    """Talks to one coordinator from an event loop. The arguments are those of `Api`, `tls` and another `transport`.

    Every node has its own: one pool for many nodes costs five times the processor time of a pool each, because a pool
    looks through all its connections at every request. They share `tls`, the costly part of a pool.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: Patience | None = None,
        remarks: Remarks | None = None,
        tls: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        # httpcore asks at every request which event loop runs. Without sniffio each time is an import that fails after
        # a search of the whole path: a third of a fleet's processor time.
        sniffio.current_async_library_cvar.set("asyncio")
        keep_recursion_limit()
        self.url = check_url(url)
        self._patience = patience or Patience()
        self._remarks = remarks or Silence()
        self._http = httpx.AsyncClient(
            trust_env=not is_loopback(url), verify=tls or True, transport=transport, limits=KEPT
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def fetch(self, call: Call[T], token: str | None = None) -> T:
        """Sends a request and returns its result; raises what `Api.fetch` raises."""
        attempt = 1
        while True:
            try:
                answer = await self._exchange(call, token)
                verify_status(self.url + call.path, answer)
            except Unanswered as failure:
                self._remarks.lost(self.url, str(failure))
                if not call.repeatable or self._patience.is_spent(attempt):
                    raise TransportUnreachable(self.url, str(failure), attempt) from None
            else:
                self._remarks.found(self.url)
                return read_result(self.url + call.path, call, answer)
            await asyncio.sleep(self._patience.draw_wait(attempt))
            attempt += 1

    async def _exchange(self, call: Call[T], token: str | None) -> Answer:
        try:
            async with self._http.stream(
                call.method,
                self.url + call.path,
                params=call.params or None,
                content=call.body,
                headers=compose_headers(call, token),
                timeout=choose_timeout(call),
            ) as response:
                meter = Meter(self.url + call.path, response, call.limit_bytes)
                async for chunk in response.aiter_bytes():
                    meter.add(chunk)
                return meter.answer()
        except httpx.TransportError as error:
            raise Unanswered(describe_failure(error)) from None


class Meter:
    """Collects an answer up to its limit. Raises TransportOverflow beyond it."""

    def __init__(self, url: str, response: httpx.Response, limit_bytes: int) -> None:
        self._url, self._status = url, response.status_code
        self._limit_bytes = limit_bytes if response.status_code < 400 else ERROR_LIMIT_BYTES
        self._chunks: list[bytes] = []
        self._size = 0
        length = response.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._limit_bytes:
            raise TransportOverflow(url, self._limit_bytes)

    def add(self, chunk: bytes) -> None:
        """Takes the next piece."""
        self._size += len(chunk)
        if self._size > self._limit_bytes:
            raise TransportOverflow(self._url, self._limit_bytes)
        self._chunks.append(chunk)

    def answer(self) -> Answer:
        """What was collected."""
        return Answer(self._status, b"".join(self._chunks))
