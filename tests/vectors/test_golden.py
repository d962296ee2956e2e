"""The committed golden vectors are what this code computes: a change of format shows as a diff, here and in forge."""

from tests.vectors import generate_golden


def test_golden_file_is_regenerated_without_a_difference() -> None:
    committed = generate_golden.PATH.read_text(encoding="utf-8")
    assert committed == generate_golden.encode(), "run python -m tests.vectors.generate_golden and read the diff"
