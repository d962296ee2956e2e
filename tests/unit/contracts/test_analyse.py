"""The triage table is read as it is written, and slither's places are named as in it."""

from contracts.analyse import TRIAGE, name_place, read_triage

TABLE = """# Title

Some | prose.

| detector | place | why |
| --- | --- | --- |
| `one` | `Contract.function` | for a reason |
| `two` | `Contract.other` | |
"""


def test_rows_with_a_reason_are_explained() -> None:
    assert read_triage(TABLE) == {("one", "Contract.function")}


def test_every_row_of_the_triage_has_its_reason() -> None:
    text = TRIAGE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows
    assert len(read_triage(text)) == len(rows)


def test_place_is_named_from_the_contract_down() -> None:
    contract = {"type": "contract", "name": "Ledger", "type_specific_fields": {}}
    function = {"type": "function", "name": "post", "type_specific_fields": {"parent": contract}}
    variable = {"type": "variable", "name": "round", "type_specific_fields": {"parent": function}}
    assert name_place(variable) == "Ledger.post.round"
