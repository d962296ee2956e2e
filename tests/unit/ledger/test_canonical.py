import sys
from typing import Any

import pytest

from ledger import canonical
from ledger.errors import MalformedJson


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, b"null"),
        (True, b"true"),
        (-0, b"0"),
        (2**53 - 1, b"9007199254740991"),
        ({"b": 1, "a": [None, False]}, b'{"a":[null,false],"b":1}'),
        ((1, 2), b"[1,2]"),
        ('é\u2028\x7f"\\\n\x0f', '"é\u2028\x7f\\"\\\\\\n\\u000f"'.encode()),
        # Sorted by UTF-16 code units: the surrogates of an emoji come before U+FB33.
        ({"\ufb33": 1, "\U0001f600": 2, "a": 3}, '{"a":3,"\U0001f600":2,"\ufb33":1}'.encode()),
    ],
)
def test_encode_writes_the_rfc_8785_form(value: Any, expected: bytes) -> None:
    assert canonical.encode(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        b"bytes",
        {1: 2},
        {"a": {1: 2}},
        {"a", "b"},
        "\ud800",
        {"\udc00": 1},
        object(),
    ],
)
def test_encode_refuses_what_has_no_exact_form(value: Any) -> None:
    with pytest.raises(MalformedJson):
        canonical.encode(value)


def test_encode_refuses_a_value_that_contains_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(MalformedJson, match="nested deeper"):
        canonical.encode(endless)


def test_encode_refuses_subclasses_that_only_look_like_integers() -> None:
    class Count(int):
        pass

    with pytest.raises(MalformedJson):
        canonical.encode([Count(1)])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"1 2",
        b"NaN",
        b"Infinity",
        b"1.0",
        b"1e3",
        b"-0",
        b"9007199254740992",
        b"9" * 10_000,
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'"\\ud800"',
        b'"\xff"',
        b'"\x01"',
        b"\xef\xbb\xbf1",
        "1".encode("utf-16"),
        b"[" * 100 + b"]" * 100,
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b"'a'",
        b"[1,]",
    ],
)
def test_decode_refuses_what_is_not_strict_json(content: bytes) -> None:
    with pytest.raises(MalformedJson):
        canonical.decode(content)


def test_decode_survives_deep_nesting_where_a_library_raised_the_recursion_limit() -> None:
    """Importing eth_account sets the limit to 100,000; json.loads then overruns the stack and the process dies."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        with pytest.raises(MalformedJson, match="nested deeper"):
            canonical.decode(b"[" * 1_000_000)
    finally:
        sys.setrecursionlimit(before)


def test_decode_counts_no_brackets_inside_strings() -> None:
    text = '"' + "[{" * 100 + '\\"' + "[" * 100 + '"'
    assert canonical.decode(f'[{text},{{"{"[" * 50}":1}}]'.encode()) == [
        "[{" * 100 + '"' + "[" * 100,
        {"[" * 50: 1},
    ]


@pytest.mark.parametrize("depth", [1, 32])
def test_decode_reads_nesting_up_to_the_limit(depth: int) -> None:
    assert canonical.encode(canonical.decode(b"[" * depth + b"]" * depth)) == b"[" * depth + b"]" * depth
    with pytest.raises(MalformedJson, match="nested deeper"):
        canonical.decode(b"[" * 33 + b"]" * 33)


def test_decode_takes_bytes_only() -> None:
    with pytest.raises(MalformedJson, match="expected bytes"):
        canonical.decode("1")  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("content", [b" 1", b'{"b":1,"a":2}', b'"\\u0041"', b"[1, 2]", b"1\n"])
def test_decode_requires_the_canonical_form_where_asked(content: bytes) -> None:
    canonical.decode(content)
    with pytest.raises(MalformedJson, match="RFC 8785"):
        canonical.decode(content, require_canonical=True)


def test_decode_reads_what_encode_wrote() -> None:
    value = {"a": [1, -5, "é", None, True], "b": {}}
    assert canonical.decode(canonical.encode(value), require_canonical=True) == value
