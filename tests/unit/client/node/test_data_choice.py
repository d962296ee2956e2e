"""Data by files: one for a node, a folder for a fleet; what is missing is said."""

from pathlib import Path

import pytest

from client.errors import UsageRefused
from client.node.work.running import DataChoice


def choose(path: Path) -> DataChoice:
    return DataChoice(None, None, path, 0.0)


def test_fleet_takes_a_folders_files_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", ".DS_Store", "c.json"):
        (tmp_path / name).write_text("[]")
    (tmp_path / "folder").mkdir()
    assert [path.name for path in choose(tmp_path).find_files(2)] == ["a.json", "b.json"]
    with pytest.raises(UsageRefused, match="expected a folder with 4 files, one a node, got one with 3"):
        choose(tmp_path).find_files(4)


def test_fleet_with_a_file_or_with_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(UsageRefused, match="got a single file"):
        choose(tmp_path / "a.json").find_files(2)
    with pytest.raises(UsageRefused, match="got nothing of that name"):
        choose(tmp_path / "none").find_files(2)
