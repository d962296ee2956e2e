import json
from dataclasses import replace

from learning.card import ModelCard, RoundLine

LINE = RoundLine(1, "0x01", "0x02", 3, 2, 300, 70, None, 2.5, 2.25, {"accuracy": 0.5})
CARD = ModelCard(
    title="Digits | <b>",
    description="Reads digits.",
    job="0xaa",
    spec="0xbb",
    model="0x02",
    initial_model="0x00",
    task="digits",
    config={"hidden": 6},
    parameters=460,
    nodes=3,
    budget=1000,
    token="0xcc",
    metrics={"accuracy": 0.5},
    intended_use="Tests.",
    rounds=[LINE, replace(LINE, round=2, void="too-few", loss_before=None, loss_after=None, reward=0)],
)


def test_card_is_json_with_amounts_as_strings() -> None:
    card = json.loads(json.dumps(CARD.to_json()))
    assert (card["budget"], card["spent"], card["initialModel"]) == ("1000", "70", "0x00")
    assert card["rounds"][0]["lossBefore"] == 2.5
    assert card["rounds"][0]["reward"] == "70"
    assert card["verify"] == ["tally audit verify 0xaa", "tally model download 0x02"]


def test_card_for_people_tells_lineage_and_how_to_verify() -> None:
    text = CARD.to_markdown()
    assert "# Digits \\| &lt;b>" in text
    assert "| paid | 70 of 1000 base units of `0xcc` |" in text
    assert "| 1 | `0x01` | `0x02` | 3 | 2 | 2.5000 → 2.2500 | 70 | accuracy 0.5000 |" in text
    assert "| 2 | `0x01` | unchanged (too-few) | 3 | 2 | – | 0 | accuracy 0.5000 |" in text
    assert "    tally audit verify 0xaa" in text


def test_card_of_a_job_without_rounds_is_written() -> None:
    assert "samples, last round | 0" in replace(CARD, rounds=[]).to_markdown()
