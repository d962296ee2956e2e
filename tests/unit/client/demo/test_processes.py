"""Child processes of the demo: real ones."""

import sys
from pathlib import Path

import pytest

from client.demo.processes import ProgramFailed, Stage, find_free_ports

FOREVER = [sys.executable, "-c", "import sys, time; print('ready', flush=True); time.sleep(60)"]


def test_stop_ends_every_program(tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        stage.start("one", FOREVER)
        stage.wait_until("one", lambda: "ready" in (tmp_path / "one.log").read_text(), 20)
        assert [name for name, _ in stage.describe()] == ["one"]
        processes = list(stage._running.values())
    assert all(process.poll() is not None for process in processes)


def test_a_program_that_ends_early_is_reported_with_its_log(tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        stage.start("broken", [sys.executable, "-c", "raise SystemExit('no such port')"])
        with pytest.raises(ProgramFailed, match=r"exit code 1(?s:.*)no such port"):
            stage.wait_until("broken", lambda: False, 20)


def test_run_returns_output_and_raises_on_failure(tmp_path: Path) -> None:
    with Stage(tmp_path, {"WORD": "tally"}) as stage:
        assert stage.run("echo", [sys.executable, "-c", "import os; print(os.environ['WORD'])"]).strip() == "tally"
        with pytest.raises(ProgramFailed):
            stage.run("fails", [sys.executable, "-c", "raise SystemExit(3)"])


def test_free_ports_are_distinct() -> None:
    assert len(set(find_free_ports(8))) == 8
