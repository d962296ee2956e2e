"""Figures of a watchtower in Prometheus' text form, served over HTTP."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from client.auditor.watch.job_watch import JobWatch
from client.auditor.watch.watchtower import Tower
from client.errors import UsageRefused
from ledger.hexadecimal import to_hex

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_HELP: Mapping[str, tuple[str, str]] = {
    "tally_watch_block": ("gauge", "Number of the newest block that was read."),
    "tally_watch_last_look_seconds": ("gauge", "When the last whole look ended, in unix seconds."),
    "tally_watch_chain_errors_total": ("counter", "Looks that ended because the chain did not answer."),
    "tally_watch_events_total": ("counter", "Lines told, by event."),
    "tally_watch_rounds": ("gauge", "Posted rounds by what came of them."),
    "tally_watch_last_round": ("gauge", "Number of the newest posted round."),
    "tally_watch_faults": ("gauge", "Faults found that code can decide."),
    "tally_watch_demands": ("gauge", "Demands on chain, by whether they were answered."),
    "tally_watch_struck": ("gauge", "The first struck round, 0 while none is."),
    "tally_watch_transactions": ("gauge", "Own transactions by state."),
}


def write_metrics(tower: Tower) -> str:
    """The figures as text; nothing in it comes from the chain but numbers and ids."""
    lines: list[str] = []
    for name, samples in _collect(tower).items():
        kind, meaning = _HELP[name]
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{labels} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


@contextmanager
def serve_metrics(tower: Tower, address: str) -> Iterator[str]:
    """Serves /metrics at HOST:PORT until the block ends; yields the URL. Port 0 takes a free one.

    Raises:
        UsageRefused: the address is none, or taken.
    """
    host, port = parse_listen(address)
    try:
        server = _Server((host, port), tower)
    except OSError as error:
        problem = f"--metrics: nothing can listen at {address} ({error.strerror}): choose another port, or none"
        raise UsageRefused(problem) from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def parse_listen(text: str) -> tuple[str, int]:
    """PORT or HOST:PORT; the host is loopback where none is named. Raises UsageRefused."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise UsageRefused(f"--metrics: expected PORT, HOST:PORT or none, got {text!r}")
    return host or "127.0.0.1", int(port)


def _collect(tower: Tower) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {
        "tally_watch_block": [("", tower.head)],
        "tally_watch_last_look_seconds": [("", int(tower.looked_at))],
        "tally_watch_chain_errors_total": [("", tower.errors)],
    }
    events: Counter[str] = Counter()
    for (event, _), count in tower.teller.counts.copy().items():
        events[event] += count
    found["tally_watch_events_total"] = [(f'{{event="{event}"}}', count) for event, count in sorted(events.items())]
    for job in tower.jobs:
        for name, label, value in _collect_job(job):
            labels = f'{{job="{to_hex(job.job)}"{label}}}'
            found.setdefault(name, []).append((labels, value))
    if tower.docket is not None:
        states = Counter(action.state for action in tower.docket.list_actions())
        found["tally_watch_transactions"] = [(f'{{state="{state}"}}', n) for state, n in sorted(states.items())]
    return found


def _collect_job(job: JobWatch) -> Iterator[tuple[str, str, int]]:
    rounds = list(job.place.rounds.values())
    outcomes = Counter(known.outcome or "waiting" for known in rounds)
    for outcome in ("pass", "fail", "unknown", "waiting"):
        yield "tally_watch_rounds", f',outcome="{outcome}"', outcomes[outcome]
    yield "tally_watch_last_round", "", max((known.number for known in rounds), default=0)
    yield "tally_watch_faults", "", len(job.place.told)
    answered = Counter(demand.answered_in > 0 for demand in list(job.place.demands))
    for is_answered in (True, False):
        yield "tally_watch_demands", f',answered="{str(is_answered).lower()}"', answered[is_answered]
    yield "tally_watch_struck", "", job.place.struck[0] if job.place.struck else 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], tower: Tower) -> None:
        self.tower = tower
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answers /metrics, and nothing else."""
        known = self.path.partition("?")[0] == "/metrics"
        content = write_metrics(self.server.tower).encode() if known else b"only /metrics is here\n"
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Scrapes are no events."""
