"""What a watchtower says: one line for each thing that happened, for people or as JSON; and its counts, for metrics."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from ledger.hexadecimal import to_hex

SHOWN_HEX = 10


class Teller:
    """Tells on stdout.

    Args:
        clock: unix seconds.
        as_json: one JSON object a line.
        write: takes a line.
    """

    def __init__(
        self, clock: Callable[[], float], *, as_json: bool = False, write: Callable[[str], object] | None = None
    ) -> None:
        self._clock, self._as_json = clock, as_json
        self._write = write or _write_line
        self.counts: Counter[tuple[str, str]] = Counter()

    def tell(self, job: bytes | None, event: str, sentence: str, **facts: object) -> None:
        """One line: what happened, to which job, in words and in facts (bytes as hex)."""
        label = facts.get("outcome") or facts.get("fault") or facts.get("source") or ""
        self.counts[event, str(label)] += 1
        at = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self._as_json:
            named = {} if job is None else {"job": to_hex(job)}
            line = {"at": at, "event": event, **named, **_plain(facts), "detail": sentence}
            self._write(json.dumps(line, ensure_ascii=False))
        else:
            self._write(f"{at} {to_hex(job)[:SHOWN_HEX] + '… ' if job else ''}{sentence}")


def _plain(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: to_hex(value) if isinstance(value, bytes) else value for name, value in facts.items()}


def _write_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
