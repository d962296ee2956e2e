"""The API client against a real server that answers as told: retries, limits, refusals, digests."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

import pytest

from client import calls
from client.api import Api, AsyncApi
from client.call import Answer, Call
from client.errors import (
    CoordinatorRefused,
    TransportMangled,
    TransportOverflow,
    TransportUnreachable,
    UsageRefused,
)
from client.transport import Patience, check_url
from ledger.errors import VerificationError
from ledger.hashing import sha256

QUICK = Patience(attempts=3, first_seconds=0.0)


class Script:
    """What the server answers, one after the other; the last answer stays. Remembers what it was asked."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    def take(self) -> tuple[int, bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Recorder:
    """Remembers remarks."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def lost(self, url: str, reason: str) -> None:
        self.heard.append(f"{url} {reason}")

    def found(self, url: str) -> None:
        self.heard.append(f"{url} found")


@pytest.fixture
def script() -> Script:
    return Script((200, b"{}"))


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            script.asked.append((self.command, self.path, dict(self.headers), body))
            status, content = script.take()
            if status == 0:
                self.connection.close()
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 -- the library's names

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def read_json(answer: Answer) -> Any:
    return json.loads(answer.content)


ASK: Call[Any] = Call("GET", "/v1/thing", read_json)


def test_answer_is_decoded_and_the_token_sent(url: str, script: Script) -> None:
    script.answers = [(200, b'{"a": 1}')]
    with Api(url) as api:
        assert api.fetch(ASK, token="secret") == {"a": 1}
    assert script.asked[0][2]["Authorization"] == "Bearer secret"
    assert script.asked[0][2]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("failure", [(503, b""), (500, b"<html>"), (429, b"slow down"), (0, b"")])
def test_failures_that_may_pass_are_repeated_and_told_once_each_way(
    url: str, script: Script, failure: tuple[int, bytes]
) -> None:
    script.answers = [failure, failure, (200, b'{"a": 1}')]
    recorder = Recorder()
    with Api(url, patience=QUICK, remarks=recorder) as api:
        assert api.fetch(ASK) == {"a": 1}
    assert len(script.asked) == 3
    assert recorder.heard[-1] == f"{url} found"


async def test_event_loops_repeat_too(url: str, script: Script) -> None:
    script.answers = [(503, b""), (200, b'{"a": 1}')]
    async with AsyncApi(url, patience=QUICK) as api:
        assert await api.fetch(ASK) == {"a": 1}


def test_service_that_is_no_coordinator_is_told(url: str, script: Script) -> None:
    script.answers = [(404, b"<html>not found</html>")]
    with Api(url) as api, pytest.raises(CoordinatorRefused, match="is this the address of a coordinator"):
        api.fetch(ASK)


def test_patience_ends(url: str, script: Script) -> None:
    script.answers = [(503, b"")]
    with Api(url, patience=QUICK) as api, pytest.raises(TransportUnreachable, match="3 attempts"):
        api.fetch(ASK)


def test_what_may_not_be_repeated_is_sent_once(url: str, script: Script) -> None:
    script.answers = [(503, b"")]
    once: Call[Any] = Call("POST", "/v1/thing", read_json, body=b"{}", repeatable=False)
    with Api(url, patience=QUICK) as api, pytest.raises(TransportUnreachable):
        api.fetch(once)
    assert len(script.asked) == 1


def test_nobody_there_is_told_with_the_address() -> None:
    with Api("http://127.0.0.1:9", patience=QUICK) as api, pytest.raises(TransportUnreachable, match=r"127\.0\.0\.1:9"):
        api.fetch(ASK)


def test_refusal_keeps_sentence_name_and_operands(url: str, script: Script) -> None:
    script.answers = [(409, json.dumps({"error": "RoundClosed", "detail": "too late", "round": 3}).encode())]
    with Api(url) as api, pytest.raises(CoordinatorRefused, match="too late") as error:
        api.fetch(ASK)
    assert (error.value.status, error.value.error, error.value.operands) == (409, "RoundClosed", {"round": 3})
    assert len(script.asked) == 1


def test_limit_with_reasons_is_a_refusal_and_not_repeated(url: str, script: Script) -> None:
    script.answers = [(429, json.dumps({"error": "TelemetryFull", "detail": "enough"}).encode())]
    with Api(url, patience=QUICK) as api, pytest.raises(CoordinatorRefused, match="enough"):
        api.fetch(ASK)


@pytest.mark.parametrize("status", [200, 404])
def test_answer_beyond_its_limit_is_not_read(url: str, script: Script, status: int) -> None:
    script.answers = [(status, b"x" * 200_000)]
    small: Call[Any] = Call("GET", "/v1/thing", read_json, limit_bytes=1_000)
    with Api(url, patience=QUICK) as api, pytest.raises(TransportOverflow):
        api.fetch(small)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"name": 5}', b"\xff"])
def test_answer_that_is_no_message_is_told(url: str, script: Script, content: bytes) -> None:
    script.answers = [(200, content)]
    with Api(url) as api, pytest.raises(TransportMangled, match="same version"):
        api.fetch(calls.info())


def test_blob_is_compared_with_its_digest(url: str, script: Script) -> None:
    script.answers = [(200, b"content")]
    with Api(url) as api:
        assert api.fetch(calls.blob(sha256(b"content"))) == b"content"
        with pytest.raises(VerificationError) as error:
            api.fetch(calls.blob(sha256(b"other")))
    assert error.value.check == "blob-digest"


def test_stream_ends_as_unreachable_and_a_refusal_is_told(url: str, script: Script) -> None:
    script.answers = [(200, b"event: job\ndata: {}\n\n"), (404, b'{"error": "UnknownJob", "detail": "no such job"}')]
    with Api(url) as api:
        assert list(api.follow("/v1/jobs/x/events")) == ["event: job", "data: {}", ""]
        with pytest.raises(CoordinatorRefused, match="no such job"):
            list(api.follow("/v1/jobs/x/events"))


def test_waits_double_up_to_the_longest_with_jitter() -> None:
    patience = Patience(attempts=None, first_seconds=1.0, longest_seconds=8.0, random=Random(1))
    waits = [patience.draw_wait(attempt) for attempt in range(1, 8)]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, (1, 2, 4, 8, 8, 8, 8), strict=True))
    assert len(set(waits)) == len(waits)
    assert not patience.is_spent(1_000_000)
    assert patience.draw_wait(10_000) <= 8.0


@pytest.mark.parametrize("address", ["", "tally.example", "ftp://tally.example", "https://", "https://a.example?x=1"])
def test_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageRefused, match="expected an address"):
        check_url(address)
