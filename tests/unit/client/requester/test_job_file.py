"""Job files: TOML or JSON, paths from the file's folder, options first, every problem named."""

import json
from pathlib import Path

import pytest

from client.requester.job_file import MalformedJobFile, load_job_file

TOML = """
title = "What to watch next"
validation = "validation.safetensors"
rounds = 3
budgetPerRound = "1000.5"
[task]
name = "recommender"
config = { items = 12 }
[cohort]
minimum = 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "job.toml"
    path.write_text(TOML)
    return path


def test_toml_and_json_say_the_same(file: Path, tmp_path: Path) -> None:
    values = {
        "title": "What to watch next",
        "validation": "validation.safetensors",
        "rounds": 3,
        "budgetPerRound": "1000.5",
        "task": {"name": "recommender", "config": {"items": 12}},
        "cohort": {"minimum": 2},
    }
    (tmp_path / "job.json").write_text(json.dumps(values))
    assert load_job_file(file, {}) == load_job_file(tmp_path / "job.json", {})


def test_paths_count_from_the_file_and_options_from_here(file: Path) -> None:
    job = load_job_file(file, {"holdout": Path("holdout.json"), "rounds": 9, "title": None})
    assert job.validation == file.parent / "validation.safetensors"
    assert job.holdout == Path("holdout.json")
    assert (job.rounds, job.title, job.cohort.maximum) == (9, "What to watch next", 1_000)


def test_options_alone_make_a_job() -> None:
    job = load_job_file(None, {"title": "t", "task": {"name": "digits"}, "rounds": 1, "budgetPerRound": "1"})
    assert job.task.config == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('surprise = "x"' + TOML, "surprise: no such member; a job has title, description, task"),
        (
            TOML.replace("minimum = 2", "minium = 2"),
            r"cohort\.minium: no such member; \[cohort\] has minimum, maximum, closesAt",
        ),
        (TOML.replace("rounds = 3", ""), "rounds: missing: give it in the file or as an option"),
        (TOML.replace("rounds = 3", "rounds = 0"), "rounds"),
        (TOML.replace('"1000.5"', "1000.5"), "budgetPerRound: expected text in quotes"),
        (TOML.replace('"1000.5"', '"-1"'), "an amount such as"),
        (TOML.replace('"1000.5"', '"1e3"'), "an amount such as"),
        ("rounds = = 3", "not TOML"),
        ("", "title"),
    ],
)
def test_problems_are_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "job.toml"
    path.write_text(text)
    with pytest.raises(MalformedJobFile, match=problem):
        load_job_file(path, {})


def test_missing_file_and_broken_json_are_told(tmp_path: Path) -> None:
    with pytest.raises(MalformedJobFile, match="cannot be read"):
        load_job_file(tmp_path / "none.toml", {})
    (tmp_path / "job.json").write_text("{")
    with pytest.raises(MalformedJobFile, match="not JSON"):
        load_job_file(tmp_path / "job.json", {})
    (tmp_path / "job.json").write_text("[]")
    with pytest.raises(MalformedJobFile, match="an object"):
        load_job_file(tmp_path / "job.json", {})
