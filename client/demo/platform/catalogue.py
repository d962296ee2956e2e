"""What the platform keeps: items with titles, and watch events in the order they came in.

Source of the file format: MovieLens-100K as RecBole's atomic files (`ml-100k.inter`, `ml-100k.item`, tab separated).
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class MalformedCatalogue(ValueError):
    """A data file is not what the platform reads."""

    def __init__(self, path: Path, line: int, detail: str) -> None:
        self.path, self.line, self.detail = path, line, detail
        super().__init__(f"{path.name}, line {line}: {detail}; expected RecBole's tab-separated MovieLens files")


@dataclass(frozen=True, slots=True)
class Event:
    """One view: `seq` is its place in the platform's log, `watched_at` is in seconds UTC, `item` counts from 0."""

    seq: int
    viewer: str
    item: int
    watched_at: int


@dataclass(frozen=True, slots=True)
class Page:
    """Events after a cursor; `more` says whether another page waits."""

    events: Sequence[Event]
    cursor: int
    more: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Titles by item and events by viewer, each in seq order."""

    titles: Sequence[str]
    events: dict[str, list[Event]] = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> Catalogue:
        """Reads `ml-100k.item` and `ml-100k.inter`; events are numbered in order of time.

        Views of the same second keep the file's order, which tells nothing: an order by item number would end many
        histories on the rarest item and make the next one harder to guess than it is.
        """
        titles = _read_titles(folder / "ml-100k.item")
        rows = sorted(_read_views(folder / "ml-100k.inter", len(titles)), key=lambda view: view[0])
        events: dict[str, list[Event]] = {}
        for seq, (watched_at, viewer, item) in enumerate(rows, start=1):
            events.setdefault(viewer, []).append(Event(seq, viewer, item, watched_at))
        return cls(titles, events)

    def page(self, viewers: Iterable[str], cursor: int, limit: int) -> Page:
        """The next `limit` events of these viewers after `cursor`, in seq order."""
        waiting = sorted(
            (event for viewer in viewers for event in self.events.get(viewer, ()) if event.seq > cursor),
            key=lambda event: event.seq,
        )
        chosen = waiting[:limit]
        return Page(chosen, chosen[-1].seq if chosen else cursor, len(waiting) > limit)

    def count(self, viewer: str, upto: int) -> int:
        """How many views of a viewer the log holds up to place `upto`."""
        return bisect_right(self.events.get(viewer, ()), upto, key=lambda event: event.seq)


def _read_titles(path: Path) -> list[str]:
    titles: dict[int, str] = {}
    for line, row in _rows(path, ("item_id:token", "movie_title:token_seq", "release_year:token")):
        year = f" ({row[2]})" if row[2] else ""
        titles[_number(path, line, row[0]) - 1] = f"{row[1]}{year}"
    if sorted(titles) != list(range(len(titles))):
        raise MalformedCatalogue(path, 1, f"item ids must run from 1 to {len(titles)} without a gap")
    return [titles[item] for item in range(len(titles))]


def _read_views(path: Path, items: int) -> Iterable[tuple[int, str, int]]:
    for line, row in _rows(path, ("user_id:token", "item_id:token", "rating:float", "timestamp:float")):
        item = _number(path, line, row[1]) - 1
        if not 0 <= item < items:
            raise MalformedCatalogue(path, line, f"item {row[1]} is not among the {items} listed items")
        yield _number(path, line, row[3]), row[0], item


def _rows(path: Path, header: Sequence[str]) -> Iterable[tuple[int, list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        first = next(reader, [])
        if tuple(first[: len(header)]) != tuple(header):
            raise MalformedCatalogue(path, 1, f"columns {first}, expected {list(header)}")
        for line, row in enumerate(reader, start=2):
            if len(row) < len(header):
                raise MalformedCatalogue(path, line, f"{len(row)} columns, expected at least {len(header)}")
            yield line, row


def _number(path: Path, line: int, text: str) -> int:
    try:
        return int(float(text))
    except ValueError as error:
        raise MalformedCatalogue(path, line, f"{text!r} is not a number") from error
