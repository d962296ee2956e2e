from dataclasses import replace

from learning.card import ModelCard, Participation, RoundLine

LINE = RoundLine(1, "0x01", "02", 3, 2, 70, None, {"accuracy": 0.5})
CARD = ModelCard(
    title="Digits | <b>",
    description="Reads\ndigits.",
    job="0xaa",
    spec="0xbb",
    model="02",
    initial_model="00",
    validation="0f",
    task="digits",
    config={"hidden": 6},
    parameters=4600,
    participation=Participation(nodes=3, contributions=6, accepted=4, samples=300, compute_seconds=1.25),
    budget=1000,
    price=2000,
    token="0xcc",
    ledger="0xdd on chain 31337",
    coordinator="https://tally.example",
    rounds=[LINE, replace(LINE, round=2, void="too-few", reward=0, metrics={"loss": 2.0})],
)


def test_card_tells_lineage_money_and_how_to_verify() -> None:
    text = CARD.to_markdown()
    assert text.startswith("# Digits \\| &lt;b>\n\nReads digits.\n\n## Model\n\n")
    assert "- SHA-256 `02`, after 2 rounds; 4,600 float32 parameters\n- task `digits`: hidden 6\n" in text
    assert "| round | contributions | accepted | paid | accuracy | loss | model | header |" in text
    assert "| 1 | 3 | 2 | 70 | 0.5000 |  | `02` | `0x01` |" in text
    assert "| 2 | 3 | 2 | void: too-few |  | 2.0000 | `02` | `0x01` |" in text
    assert "- 3 nodes with 300 samples in all, by their own word\n- 6 contributions, 4 accepted\n" in text
    assert "- 70 of 1000 base units of token 0xcc\n- 2000 base units for each nat" in text
    assert "`tally audit verify 0xaa --coordinator https://tally.example` recomputes every round" in text
    assert "compares with 0xdd on chain 31337. The job's rules have SHA-256 `0xbb`." in text


def test_card_of_a_job_by_weight_without_rounds_or_words_is_written() -> None:
    text = replace(CARD, rounds=[], validation=None, description="").to_markdown()
    assert "validation set: none, pay went by weight" in text
    assert "No description." in text
    assert "after 0 rounds" in text
