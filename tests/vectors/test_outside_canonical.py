"""RFC 8785 against the author's own files; what holds a fraction must be refused, not rounded."""

import pytest

from ledger import canonical
from ledger.errors import MalformedJson
from tests.vectors import outside

pytestmark = outside.absent

FOLDER = outside.VECTORS / "rfc8785-jcs"
WITHOUT_FRACTIONS = ("arrays", "french", "unicode", "weird")
WITH_FRACTIONS = ("structures", "values")


@pytest.mark.parametrize("name", WITHOUT_FRACTIONS)
def test_canonical_form(name: str) -> None:
    value = canonical.decode((FOLDER / "input" / f"{name}.json").read_bytes())
    expected = (FOLDER / "output" / f"{name}.json").read_bytes()
    assert canonical.encode(value) == expected
    assert expected == bytes.fromhex((FOLDER / "outhex" / f"{name}.txt").read_text(encoding="ascii"))
    assert canonical.decode(expected, require_canonical=True) == value


@pytest.mark.parametrize("name", WITH_FRACTIONS)
def test_fractions_are_refused(name: str) -> None:
    with pytest.raises(MalformedJson):
        canonical.decode((FOLDER / "input" / f"{name}.json").read_bytes())


def test_structures_once_their_fraction_is_an_integer() -> None:
    text = (FOLDER / "input" / "structures.json").read_bytes()
    assert b"56.0" in text
    expected = (FOLDER / "output" / "structures.json").read_bytes()
    assert canonical.encode(canonical.decode(text.replace(b"56.0", b"56"))) == expected


@pytest.mark.parametrize("name", WITHOUT_FRACTIONS)
def test_what_is_not_canonical_is_refused_where_it_must_be(name: str) -> None:
    text = (FOLDER / "input" / f"{name}.json").read_bytes()
    with pytest.raises(MalformedJson):
        canonical.decode(text, require_canonical=True)


def test_every_file_is_used() -> None:
    names = {path.stem for path in (FOLDER / "input").iterdir()}
    assert names == {*WITHOUT_FRACTIONS, *WITH_FRACTIONS}
