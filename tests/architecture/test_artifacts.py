"""The committed artifacts are what the committed sources compile to."""

from contracts.build import build_artifacts, find_stale


def test_artifacts_rebuild_identically() -> None:
    assert find_stale(build_artifacts()) == [], "run `python -m contracts.build` and commit the artifacts"
