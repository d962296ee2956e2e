"""A provider between programs and anvil that fails as real ones do: silence, lost replies, HTTP errors, limits."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Request = dict[str, Any]
Reply = tuple[int, bytes] | None


class Provider:
    """Forwards JSON-RPC to anvil. `fault` is asked first and may answer instead; None from it means: no fault.

    Attributes:
        url: where programs connect.
        requests: methods of all requests, in order.
        lose_replies: forward these methods, then close the connection without an answer.
        silent: close every connection without an answer.
    """

    def __init__(self, upstream: str, server: ThreadingHTTPServer) -> None:
        # One client for all requests: httpx takes 20 ms of processor time to make another.
        self.upstream = httpx.Client(base_url=upstream, trust_env=False)
        self.url = f"http://127.0.0.1:{server.server_port}/key-in-path"
        self.requests: list[str] = []
        self.lose_replies: set[str] = set()
        self.silent = False
        self.fault: Callable[[Request], Reply] = lambda _: None

    def answer(self, body: bytes) -> Reply:
        """What goes back to the program; None closes the connection."""
        request = json.loads(body)
        self.requests.append(request["method"])
        if self.silent:
            return None
        faulty = self.fault(request)
        if faulty is not None:
            return faulty
        response = self.upstream.post("", content=body, headers={"content-type": "application/json"})
        return None if request["method"] in self.lose_replies else (response.status_code, response.content)


def refuse(request: Request, message: str, code: int = -32000, data: object = None) -> Reply:
    """A JSON-RPC error."""
    error = {"code": code, "message": message, **({} if data is None else {"data": data})}
    return 200, json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}).encode()


@contextmanager
def run_provider(upstream: str) -> Iterator[Provider]:
    """Run a provider on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            reply = provider.answer(self.rfile.read(int(self.headers["content-length"])))
            if reply is None:
                self.close_connection = True
                return
            status, content = reply
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Requests are kept in `requests`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        provider = Provider(upstream, server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
            provider.upstream.close()
