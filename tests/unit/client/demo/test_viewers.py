"""How viewers are split and dealt out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.demo.viewers import FEWEST_SAMPLES, TooFewSamples, deal_viewers, split_viewers


def test_split_is_disjoint_complete_and_repeatable() -> None:
    viewers = [str(number) for number in range(100)]
    split = split_viewers(viewers, seed=1, validation=20, holdout=30)
    assert [len(split.training), len(split.validation), len(split.holdout)] == [50, 20, 30]
    assert sorted([*split.training, *split.validation, *split.holdout], key=int) == viewers
    assert split == split_viewers(viewers[::-1], seed=1, validation=20, holdout=30)
    assert split != split_viewers(viewers, seed=2, validation=20, holdout=30)


@given(st.lists(st.integers(FEWEST_SAMPLES, 737), min_size=5, max_size=60), st.integers(1, 5))
def test_every_viewer_is_dealt_to_exactly_one_node(sizes: list[int], nodes: int) -> None:
    samples = {str(viewer): size for viewer, size in enumerate(sizes)}
    piles = deal_viewers(samples, nodes)
    assert sorted(viewer for pile in piles for viewer in pile) == sorted(samples)
    assert all(sum(samples[viewer] for viewer in pile) >= FEWEST_SAMPLES for pile in piles)


def test_too_many_nodes_for_the_data_is_said() -> None:
    with pytest.raises(TooFewSamples, match="choose fewer nodes"):
        deal_viewers({"1": 150, "2": 60}, 2)
