import pickle

import pytest

from ledger.errors import Malformed, MalformedStatement, VerificationError, describe, show
from ledger.signatures import WrongSigner


def test_malformed_keeps_its_operands_and_builds_the_sentence() -> None:
    error = MalformedStatement("Receipt.seq", "an int", "7")
    assert (error.subject, error.expected, error.got) == ("Receipt.seq", "an int", "7")
    assert str(error) == "Receipt.seq: expected an int, got '7'"


def test_malformed_shows_none_when_none_is_what_came() -> None:
    assert str(Malformed("x", "an int", None)) == "x: expected an int, got None"


def test_malformed_without_operand_is_a_sentence_of_its_own() -> None:
    assert str(Malformed("entries.json", "a list is needed")) == "entries.json: a list is needed"


def test_verification_error_names_check_and_operands() -> None:
    error = VerificationError("proof-length", "elements of a proof", 3, 4)
    assert str(error) == "proof-length: elements of a proof: expected 3, got 4"
    assert (error.check, error.expected, error.got) == ("proof-length", 3, 4)
    assert str(VerificationError("spec-digest", "no spec")) == "spec-digest: no spec"


@pytest.mark.parametrize(
    "error", [MalformedStatement("a", "b", 3), VerificationError("a", "b", 1, 2), WrongSigner(bytes(20), b"\x01" * 20)]
)
def test_errors_cross_a_process_border_whole(error: Exception) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_show_cuts_long_values_and_names_the_type_that_differs() -> None:
    assert show(b"\x01\x02") == "2 bytes 0x0102"
    assert show(2.5) == "float 2.5"
    assert len(show("x" * 10_000)) < 200
    assert len(show(b"x" * 10_000)) < 200
    assert show(1 << 20_000) == "an integer of 20001 bits"
    assert describe("an int", True) == "expected an int, got True"
