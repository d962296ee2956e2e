import re
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from ledger.canonical import SAFE_INTEGER
from ledger.commitment import Opening
from ledger.entry import Body
from ledger.errors import Malformed, MalformedHex, MalformedSignature, MalformedStatement
from ledger.signatures import WrongSigner
from ledger.statements import (
    Acceptance,
    Closing,
    Contribution,
    Receipt,
    Registration,
    RoundHeader,
    Signed,
    Terms,
    Voucher,
)
from ledger.structs import TypedStruct, define_type, to_snake
from tests.vectors.generate_golden import draw_struct
from tests.vectors.golden_job import COORDINATOR, JOB_LEDGER, NODE_REGISTRY, SIGNERS

CLASSES: list[type[TypedStruct]] = [
    Terms,
    Contribution,
    Receipt,
    Closing,
    RoundHeader,
    Acceptance,
    Registration,
    Voucher,
    Body,
    Opening,
]
each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


@each_class
def test_fields_are_the_members_in_order(cls: type[TypedStruct]) -> None:
    assert [field.name for field in fields(cls)] == [to_snake(name) for _, name in cls.TYPE.members]
    assert cls.TYPE.name == cls.__name__


@each_class
def test_json_goes_there_and_back(cls: type[TypedStruct]) -> None:
    struct = draw_struct(cls, "ordinary")
    assert cls.from_json(struct.to_json()) == struct
    assert list(struct.to_json()) == [name for _, name in cls.TYPE.members]


@each_class
def test_instance_cannot_be_changed(cls: type[TypedStruct]) -> None:
    struct = draw_struct(cls, "ordinary")
    with pytest.raises(FrozenInstanceError):
        setattr(struct, fields(cls)[0].name, bytes(32))
    assert not hasattr(struct, "__dict__")


@each_class
def test_value_of_another_type_is_refused_at_construction(cls: type[TypedStruct]) -> None:
    struct = draw_struct(cls, "ordinary")
    for (kind, name), value in zip(cls.TYPE.members, struct.values(), strict=True):
        wrong: list[Any] = [None, str(value)]
        wrong += (
            [True, float(value), -(1 << 200), 1 << 200]
            if "int" in kind
            else [value[:-1], value + b"\0", bytearray(value)]
        )
        for bad in wrong:
            with pytest.raises(MalformedStatement, match=rf"^{cls.__name__}\.{name}: expected {kind}"):
                replace(struct, **{to_snake(name): bad})


@each_class
def test_json_of_another_form_is_refused(cls: type[TypedStruct]) -> None:
    json = draw_struct(cls, "ordinary").to_json()
    for name, value in json.items():
        wrong: list[Any] = [None, [value], {"value": value}, True, 1.0]
        if isinstance(value, int):
            wrong += [str(value), -1, SAFE_INTEGER + 1, hex(value)]
        elif isinstance(value, str) and value.startswith("0x"):
            wrong += [value[2:], value[:-2], value + "00", value.upper(), int(value, 16)]
        else:
            wrong += [
                int(str(value)),
                f"0{value}",
                f"+{value}",
                f" {value}",
                f"{value}.0",
                "",
                "-0",
                hex(int(str(value))),
                "１",
            ]
        for bad in wrong:
            with pytest.raises(Malformed, match=rf"^{cls.__name__}\.{name}"):
                cls.from_json({**json, name: bad})


@each_class
def test_json_with_missing_or_unknown_members_is_refused(cls: type[TypedStruct]) -> None:
    json = draw_struct(cls, "ordinary").to_json()
    first = next(iter(json))
    wrong: list[Any] = [{**json, "extra": 1}, {key: json[key] for key in json if key != first}, {}, [], None, "text"]
    for bad in wrong:
        with pytest.raises(MalformedStatement):
            cls.from_json(bad)
    with pytest.raises(MalformedStatement, match=rf"missing: \['{first}'\], unknown: \['other'\]"):
        cls.from_json({("other" if key == first else key): value for key, value in json.items()})


def test_json_never_holds_an_integer_that_readers_round() -> None:
    acceptance = Acceptance(bytes(32), SAFE_INTEGER + 1)
    with pytest.raises(MalformedStatement, match=r"Acceptance\.deadline"):
        acceptance.to_json()


def test_negative_score_is_a_decimal_string() -> None:
    header = replace(draw_struct(RoundHeader, "ordinary"), total_score=-(1 << 127))
    assert header.to_json()["totalScore"] == str(-(1 << 127))
    assert RoundHeader.from_json(header.to_json()) == header


def test_job_id_is_the_struct_hash_of_the_terms() -> None:
    terms = draw_struct(Terms, "ordinary")
    assert terms.job_id() == terms.struct_hash() != replace(terms, nonce=terms.nonce + 1).job_id()


def test_domain_separates_the_contracts() -> None:
    registration = draw_struct(Registration, "ordinary")
    assert registration.digest(JOB_LEDGER) != registration.digest(NODE_REGISTRY)


def test_signed_statement_verifies_for_its_signer_only() -> None:
    signed = Signed.issue(draw_struct(Receipt, "ordinary"), JOB_LEDGER, COORDINATOR)
    signed.verify(JOB_LEDGER, COORDINATOR.address)
    with pytest.raises(WrongSigner):
        signed.verify(JOB_LEDGER, SIGNERS["node0"].address)
    with pytest.raises(WrongSigner):
        signed.verify(NODE_REGISTRY, COORDINATOR.address)
    assert Signed.issue(signed.statement, JOB_LEDGER, COORDINATOR) == signed


def test_signed_json_goes_there_and_back() -> None:
    signed = Signed.issue(draw_struct(Receipt, "ordinary"), JOB_LEDGER, COORDINATOR)
    assert Signed.from_json(Receipt, signed.to_json()) == signed
    assert set(signed.to_json()) == {"statement", "signature"}


def test_signed_json_of_another_form_is_refused() -> None:
    json = Signed.issue(draw_struct(Receipt, "ordinary"), JOB_LEDGER, COORDINATOR).to_json()
    signature = str(json["signature"])
    with pytest.raises(MalformedHex, match=re.escape("signed Receipt.signature")):
        Signed.from_json(Receipt, {**json, "signature": signature.upper()})
    with pytest.raises(MalformedSignature):
        Signed.from_json(Receipt, {**json, "signature": signature[:-2] + "00"})
    with pytest.raises(MalformedStatement):
        Signed.from_json(Receipt, {**json, "digest": "0x"})
    with pytest.raises(MalformedStatement):
        Signed.from_json(Closing, json)


def test_define_type_reads_atomic_members_only() -> None:
    assert define_type("A(bool b,uint8 c)").members == (("bool", "b"), ("uint8", "c"))
    for text in ("A(bool b", "A()", "A(bool b)B(bool c)", ""):
        with pytest.raises(MalformedStatement):
            define_type(text)
