"""A node's histories: pulled by cursor, kept whole through crashes, started anew for other viewers."""

import json
from pathlib import Path

import pytest

from client.errors import UsageRefused
from client.node.data.samples import Event, Page, SampleStore, load_tokens


def make_page(*items: tuple[int, str, int, int], viewers: tuple[str, ...] = ("a", "b"), more: bool = False) -> Page:
    listed = [{"seq": seq, "viewer": viewer, "item": item, "watchedAt": at} for seq, viewer, item, at in items]
    events = [Event.model_validate(event) for event in listed]
    return Page(viewers=list(viewers), events=events, cursor=items[-1][0] if items else 0, more=more)


FIRST = make_page((1, "a", 10, 100), (2, "b", 20, 90))
SECOND = make_page((5, "a", 11, 50), (6, "b", 21, 200))


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    made = SampleStore.load(tmp_path / "samples" / "node.jsonl")
    assert made.add(FIRST) is False, "an empty store learns its viewers first"
    assert made.add(FIRST) is True
    assert made.add(SECOND) is True
    return made


def test_records_are_each_viewers_items_oldest_first(store: SampleStore) -> None:
    assert store.records() == [[11, 10], [20, 21]]
    assert store.cursor == 6


def test_store_survives_its_process(store: SampleStore) -> None:
    again = SampleStore.load(store.path)
    assert (again.records(), again.cursor, again.viewers) == (store.records(), 6, ["a", "b"])


def test_line_torn_by_a_crash_is_pulled_again(store: SampleStore) -> None:
    content = store.path.read_bytes()
    store.path.write_bytes(content[:-20])
    again = SampleStore.load(store.path)
    assert again.cursor == 2
    assert again.add(SECOND) is True
    assert SampleStore.load(store.path).records() == [[11, 10], [20, 21]]


def test_damaged_file_is_pulled_anew(store: SampleStore) -> None:
    store.path.write_bytes(b"not json\n" + store.path.read_bytes())
    again = SampleStore.load(store.path)
    assert (again.cursor, again.events) == (0, [])


def test_other_viewers_start_from_the_beginning(store: SampleStore) -> None:
    other = make_page((7, "c", 30, 10), viewers=("a", "c"))
    assert store.add(other) is False
    assert (store.cursor, store.events) == (0, [])
    assert SampleStore.load(store.path).events == []


def test_event_of_a_viewer_that_the_token_does_not_name_is_refused() -> None:
    with pytest.raises(ValueError, match="does not name"):
        make_page((1, "stranger", 1, 1))


def test_tokens_come_as_a_list_or_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "list").write_text(json.dumps(["x", "y", "z"]))
    (tmp_path / "lines").write_text("x\ny\nz\n")
    assert load_tokens(tmp_path / "list", 2) == load_tokens(tmp_path / "lines", 2) == ["x", "y"]


@pytest.mark.parametrize("content", [None, "", "x\n", '["x"]', "[1, 2]", '["x", ""]', "[broken"])
def test_too_few_or_broken_tokens_are_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokens").write_text(content)
    with pytest.raises(UsageRefused, match="tokens"):
        load_tokens(tmp_path / "tokens", 2)
