"""The load of `bench/intake.py`, in a process of its own: signs contributions, sends them, keeps every answer.

It sends over connections that stay open, one request at a time on each, every request a whole contribution of another
node, as that many nodes behind one proxy would. On standard output: one line of JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger import canonical
from ledger.eip712 import Domain, compute_domain
from ledger.hashing import sha256
from ledger.hexadecimal import to_hex
from ledger.signatures import Signer
from ledger.statements import Contribution

REPORT = {"device": "cpu", "loss": "0.500000", "seconds": "1.000", "version": "0.1.0"}
REPORT_DIGEST = sha256(canonical.encode(dict(REPORT)))
END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length: "


def derive_signer(number: int) -> Signer:
    """The key of node `number`."""
    return Signer(sha256(b"bench node" + number.to_bytes(8, "big")))


def write_body(signer: Signer, domain: Domain, job: bytes, model: bytes, salt: int) -> bytes:
    """A signed contribution to round 1, as the body of its request."""
    statement = Contribution(
        job=job,
        round=1,
        node=signer.address,
        parent=job,
        base_model=model,
        commitment=sha256(signer.address + salt.to_bytes(8, "big")),
        samples=100,
        report=REPORT_DIGEST,
    )
    signature = to_hex(signer.sign(statement.digest(domain)))
    body = {"statement": statement.to_json(), "signature": signature, "report": REPORT}
    return json.dumps(body, separators=(",", ":")).encode()


def write_request(port: int, body: bytes) -> bytes:
    """The bytes of one request."""
    head = f"POST /v1/contributions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Load:
    """What is sent and what came back, by the request's place."""

    requests: Sequence[bytes]
    answers: list[bytes] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    sent: int = 0
    received: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers = [b""] * len(self.requests)
        self.latencies = [0.0] * len(self.requests)


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the one before is answered."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._at = -1
        self._begun = 0.0

    def connection_made(self, transport: Any) -> None:
        """The connection is open."""
        self._transport = transport

    def begin(self) -> None:
        """Send the next request, if there is one."""
        load = self._load
        if load.sent < len(load.requests):
            self._at, self._begun = load.sent, time.perf_counter()
            load.sent += 1
            self._transport.write(load.requests[self._at])

    def data_received(self, data: bytes) -> None:
        """A piece of an answer; once it is whole, the next request goes."""
        self._buffer += data
        end = self._buffer.find(END_OF_HEAD)
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.index(LENGTH) + len(LENGTH)
        length = int(head[at : head.find(b"\r", at) if head.find(b"\r", at) > 0 else None])
        if len(self._buffer) < end + 4 + length:
            return
        load = self._load
        load.answers[self._at] = self._buffer[9:12] + self._buffer[end + 4 :]
        load.latencies[self._at] = time.perf_counter() - self._begun
        self._buffer = b""
        load.received += 1
        if load.received == len(load.requests):
            load.done.set()
        self.begin()


async def send(port: int, requests: Sequence[bytes], connections: int) -> tuple[Load, float]:
    """Send all requests; return the answers and the seconds from the first byte to the last answer."""
    load = Load(requests)
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Connection(load), "127.0.0.1", port) for _ in range(connections)]
    begun = time.perf_counter()
    for _, connection in made:
        connection.begin()
    await load.done.wait()
    seconds = time.perf_counter() - begun
    for transport, _ in made:
        transport.close()
    return load, seconds


def main() -> None:
    """Prepare, say so, wait for a line on standard input, send, and print what came of it."""
    plan = json.loads(sys.argv[1])
    domain = compute_domain(plan["chain"], bytes.fromhex(plan["ledger"]))
    job, model = bytes.fromhex(plan["job"]), bytes.fromhex(plan["model"])
    bodies = [
        write_body(derive_signer(number), domain, job, model, plan["salt"])
        for number in range(plan["first"], plan["first"] + plan["count"])
    ]
    requests = [write_request(plan["port"], body) for body in bodies]
    print("ready", flush=True)
    sys.stdin.readline()
    cpu = time.process_time()
    load, seconds = asyncio.run(send(plan["port"], requests, plan["connections"]))
    cpu = time.process_time() - cpu
    Path(plan["answers"]).write_bytes(b"\n".join(load.answers))
    print(json.dumps({"seconds": seconds, "cpu": cpu, "latencies": sorted(load.latencies)}), flush=True)


if __name__ == "__main__":
    main()
