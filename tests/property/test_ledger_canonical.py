"""Laws of canonical JSON: it is RFC 8785 by an independent encoder, and reading is its inverse."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger import canonical
from ledger.errors import MalformedJson

SAFE = (1 << 53) - 1
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(value=values)
def test_form_is_the_one_of_an_independent_encoder(value: Any) -> None:
    """encode(v) = rfc8785(v)."""
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(value=values)
def test_there_and_back_is_the_identity(value: Any) -> None:
    """decode(encode(v)) = v, in the canonical form."""
    assert canonical.decode(canonical.encode(value), require_canonical=True) == value


@given(value=values, indent=st.integers(1, 3))
def test_equal_values_have_one_form(value: Any, indent: int) -> None:
    """Other spellings of a value are read as it, refused as canonical, and written as the one form."""
    spelling = json.dumps(value, indent=indent, ensure_ascii=True).encode()
    assert canonical.encode(canonical.decode(spelling)) == canonical.encode(value)
    if spelling != canonical.encode(value):
        with pytest.raises(MalformedJson):
            canonical.decode(spelling, require_canonical=True)


@given(content=st.binary(max_size=60) | st.text('{}[]",:\\u0dtrue1e-. \n', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_by_our_own_error(content: bytes) -> None:
    """decode(bytes) returns a value that encodes, or raises MalformedJson; nothing else."""
    try:
        value = canonical.decode(content)
    except MalformedJson:
        return
    assert canonical.decode(canonical.encode(value)) == value
