"""A gate between clients and a coordinator: requests can be held, let through one by one, and robbed of answers."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers, content."""

_ANSWER_SECONDS = 60.0
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


class GateTimedOut(Exception):
    """What was waited for at a gate did not come."""

    def __init__(self, awaited: str, seconds: float, seen: list[str]) -> None:
        super().__init__(f"expected {awaited} within {seconds:g} s, got {seen}")


@dataclass(eq=False)
class Request:
    """A request at the gate. `answered` tells that the coordinator has answered, whether or not the client heard it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    go: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)
    keep_answer: bool = False

    def describe(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


class Barrier:
    """Holds every request of one method whose path begins so, until it is lifted."""

    def __init__(self, method: str, path: str) -> None:
        self._method, self._path = method, path
        self._changed = threading.Condition()
        self._held: list[Request] = []
        self._lifted = threading.Event()

    def takes(self, request: Request) -> bool:
        """Whether the request is held here."""
        fits = request.method == self._method and request.path.startswith(self._path)
        return fits and not self._lifted.is_set()

    def enter(self, request: Request) -> None:
        """Waits until the request may go on."""
        with self._changed:
            self._held.append(request)
            # Lifted since it was asked whether the request is held: nobody would let it go on.
            if self._lifted.is_set():
                request.go.set()
            self._changed.notify_all()
        request.go.wait()

    def wait_for(self, matches: Callable[[Request], bool], count: int, seconds: float = 60.0) -> list[Request]:
        """Returns the waiting requests that match, once there are `count`. Raises GateTimedOut."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._find(matches)) >= count, seconds):
                seen = [request.describe() for request in self._held]
                raise GateTimedOut(f"{count} {self._method} {self._path}", seconds, seen)
            return self._find(matches)

    def rob(self, request: Request, seconds: float = 30.0) -> None:
        """Lets a request reach the coordinator and keeps the answer, which is lost when the barrier is lifted."""
        request.keep_answer = True
        request.go.set()
        if not request.answered.wait(seconds):
            raise GateTimedOut(f"an answer to {request.describe()}", seconds, [])

    def lift(self) -> None:
        """Lets everything go on; nothing is held from now on."""
        self._lifted.set()
        with self._changed:
            for request in self._held:
                request.go.set()

    def wait_lifted(self) -> None:
        """Returns when the barrier is lifted."""
        self._lifted.wait()

    def _find(self, matches: Callable[[Request], bool]) -> list[Request]:
        return [request for request in self._held if not request.go.is_set() and matches(request)]


class Gate:
    """Forwards to the coordinator's port; a coordinator that is gone is a closed connection, as without a gate."""

    def __init__(self, port: int, coordinator_port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._coordinator_port = coordinator_port
        self._barriers: list[Barrier] = []

    def hold(self, method: str, path: str) -> Barrier:
        """Puts up a barrier."""
        barrier = Barrier(method, path)
        self._barriers.append(barrier)
        return barrier

    def open(self) -> None:
        """Lifts every barrier."""
        for barrier in self._barriers:
            barrier.lift()

    def pass_on(self, request: Request) -> Answer | None:
        """The coordinator's answer, None where the client is to see a broken connection."""
        barrier = next((each for each in self._barriers if each.takes(request)), None)
        if barrier is not None:
            barrier.enter(request)
        answer = self._forward(request)
        request.answered.set()
        if barrier is not None and request.keep_answer:
            barrier.wait_lifted()
            return None
        return answer

    def _forward(self, request: Request) -> Answer | None:
        link = http.client.HTTPConnection("127.0.0.1", self._coordinator_port, timeout=_ANSWER_SECONDS)
        try:
            link.request(request.method, request.path, body=request.body, headers=request.headers)
            answer = link.getresponse()
            content = answer.read()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
        except (OSError, http.client.HTTPException):
            return None
        else:
            return answer.status, headers, content
        finally:
            link.close()


@contextmanager
def run_gate(coordinator_port: int) -> Iterator[Gate]:
    """Run a gate on a free port."""
    with _Server(coordinator_port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.gate
        finally:
            server.gate.open()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, coordinator_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.gate = Gate(self.server_port, coordinator_port)

    def handle_error(self, *_: object) -> None:
        """A killed client resets its connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_PUT(self) -> None:
        self._pass_on()

    def log_message(self, *_: object) -> None:
        """Programs keep logs of their own."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        answer = self.server.gate.pass_on(Request(self.command, self.path, headers, body))
        if answer is None:
            self.close_connection = True
            return
        status, kept, content = answer
        self.send_response_only(status)
        for name, value in kept:
            self.send_header(name, value)
        # A 204 has no content and says no length.
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def wait_until(awaited: str, done: Callable[[], bool], seconds: float = 60.0) -> None:
    """Looks every 100 ms until it is so. Raises GateTimedOut."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise GateTimedOut(awaited, seconds, [])
        time.sleep(0.1)
