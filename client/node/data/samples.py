"""A node's viewing histories: pulled from the platform by cursor, kept under TALLY_HOME, sent to nobody.

The file holds one JSON object a line: `{"viewers": [...]}` first, then pages `{"cursor": n, "events": [...]}`. A page
is one append and one fsync; a line torn by a crash is cut off and pulled again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from client.call import Answer, Call
from client.errors import UsageRefused
from client.home import save_durably

PAGE = 1_000
PAGE_LIMIT_BYTES = 8 << 20


class Event(BaseModel):
    """One view on the platform; `watched_at` in seconds UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: Annotated[int, Field(ge=1)]
    viewer: str
    item: int
    watched_at: Annotated[int, Field(alias="watchedAt")]


class Page(BaseModel):
    """The platform's answer: events after a cursor, for the viewers that the token names."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    viewers: list[str]
    events: list[Event]
    cursor: Annotated[int, Field(ge=0)]
    more: bool

    @model_validator(mode="after")
    def _check_viewers(self) -> Page:
        strangers = {event.viewer for event in self.events} - set(self.viewers)
        if strangers:
            raise ValueError(f"events of viewers that the token does not name: {sorted(strangers)[:3]}")
        return self


def ask_page(cursor: int) -> Call[Page]:
    """Events after `cursor`."""
    return Call(
        "GET", "/v1/histories", _read_page, {"cursor": str(cursor), "limit": str(PAGE)}, limit_bytes=PAGE_LIMIT_BYTES
    )


def _read_page(answer: Answer) -> Page:
    return Page.model_validate_json(answer.content)


@dataclass
class SampleStore:
    """One node's histories on disk and in memory."""

    path: Path
    viewers: list[str] = field(default_factory=list)
    cursor: int = 0
    events: list[Event] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> SampleStore:
        """Reads what was pulled so far; an incomplete last line is cut off, a damaged file is pulled anew."""
        store = cls(path)
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            save_durably(path, whole, private=True)
        try:
            for line in whole.splitlines():
                store._take(json.loads(line))
        except (ValueError, KeyError, TypeError):
            # Something else wrote into it. Nothing is lost: the platform has it all.
            return cls(path)
        return store

    def add(self, page: Page) -> bool:
        """Keeps a page; returns whether it fits.

        A page for other viewers than before does not: the store is emptied, and pulling starts anew from cursor 0.
        """
        viewers = sorted(page.viewers)
        if viewers != self.viewers:
            self.viewers, self.cursor, self.events = viewers, 0, []
            save_durably(self.path, _line({"viewers": viewers}), private=True)
            return False
        if page.events:
            events = [event.model_dump(by_alias=True) for event in page.events]
            line = {"cursor": page.cursor, "events": events}
            self._append(_line(line))
            self._take(line)
        return True

    def records(self) -> list[list[int]]:
        """Each viewer's items, oldest first: what tasks read."""
        histories: dict[str, list[Event]] = {viewer: [] for viewer in self.viewers}
        for event in self.events:
            histories[event.viewer].append(event)
        return [
            [event.item for event in sorted(history, key=lambda event: (event.watched_at, event.seq))]
            for history in histories.values()
            if history
        ]

    def _take(self, line: dict[str, Any]) -> None:
        if "viewers" in line:
            self.viewers, self.cursor, self.events = line["viewers"], 0, []
        else:
            self.cursor = line["cursor"]
            self.events += [Event.model_validate(event) for event in line["events"]]

    def _append(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def load_tokens(path: Path, count: int) -> list[str]:
    """The platform's tokens for `count` nodes: a JSON list, or one a line.

    Raises:
        UsageRefused: the file cannot be read, or holds fewer.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageRefused(f"the token file {path} cannot be read: {error.strerror}") from None
    try:
        tokens = json.loads(text) if text.startswith("[") else text.split()
    except ValueError as error:
        raise UsageRefused(f"{path}: expected a JSON list of tokens: {error}") from None
    if not all(isinstance(token, str) and token for token in tokens) or len(tokens) < count:
        raise UsageRefused(f"{path}: expected {count} tokens (a JSON list, or one a line), got {len(tokens)}")
    return list(tokens[:count])


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
