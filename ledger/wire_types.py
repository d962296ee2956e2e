"""Field types of the HTTP messages: how bytes, addresses, amounts and signed statements look in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex
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

T = TypeVar("T")

MOST_SIGNATURE_BYTES = 8_192
"""The longest signature of a wallet that is a contract: a hundred owners' signatures of 65 bytes."""

_BYTES32_EXAMPLE = "0x" + "5a" * 32
_ADDRESS_EXAMPLE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
_SIGNATURE_EXAMPLE = "0x" + "11" * 64 + "1b"


class Message(BaseModel):
    """Base of every HTTP body: camelCase keys, unknown keys refused, immutable."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


def _fixed_bytes(length: int, example: str) -> Any:
    def validate(value: object) -> object:
        return parse_hex(value, length) if isinstance(value, str) else value

    schema = {"type": "string", "pattern": f"^0x[0-9a-f]{{{2 * length}}}$", "examples": [example]}
    return (
        BeforeValidator(validate),
        Field(min_length=length, max_length=length),
        PlainSerializer(to_hex, return_type=str),
        WithJsonSchema(schema),
    )


def _validate_signature(value: object) -> object:
    return parse_hex(value) if isinstance(value, str) else value


def _validate_address(value: object) -> object:
    return parse_address(value) if isinstance(value, str) else value


def _validate_amount(value: object) -> object:
    """Amounts are decimal strings, so that no JSON reader rounds them."""
    if isinstance(value, str):
        if not (value.lstrip("-").isascii() and value.lstrip("-").isdigit()) or str(int(value)) != value:
            raise ValueError(f"expected a decimal string such as '1000', got {value!r}")
        return int(value)
    return value


Bytes32 = Annotated[bytes, *_fixed_bytes(32, _BYTES32_EXAMPLE)]
SignatureBytes = Annotated[bytes, *_fixed_bytes(65, _SIGNATURE_EXAMPLE)]
WalletSignature = Annotated[
    bytes,
    BeforeValidator(_validate_signature),
    Field(max_length=MOST_SIGNATURE_BYTES),
    PlainSerializer(to_hex, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^0x([0-9a-f]{2})*$",
            "maxLength": 2 + 2 * MOST_SIGNATURE_BYTES,
            "examples": [_SIGNATURE_EXAMPLE],
        }
    ),
]
Address = Annotated[
    bytes,
    BeforeValidator(_validate_address),
    Field(min_length=20, max_length=20),
    PlainSerializer(to_address, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$", "examples": [_ADDRESS_EXAMPLE]}),
]
Amount = Annotated[
    int,
    BeforeValidator(_validate_amount),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^(0|-?[1-9][0-9]*)$", "examples": ["1000000000000000000"]}),
]


def _statement(
    cls: type[T], to_json: Callable[[T], Any], from_json: Callable[[object], T], schema: dict[str, Any]
) -> Any:
    def validate(value: object) -> T:
        return value if isinstance(value, cls) else from_json(value)

    # The return type is said here: pydantic cannot evaluate the recursive alias in the annotation of `to_json`.
    return PlainValidator(validate), PlainSerializer(to_json, return_type=dict[str, Any]), WithJsonSchema(schema)


def _member_schema(solidity_type: str) -> dict[str, Any]:
    if solidity_type == "address":
        return {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}
    if solidity_type == "bytes32":
        return {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
    if solidity_type in ("uint128", "int128"):
        return {"type": "string", "pattern": "^(0|-?[1-9][0-9]*)$"}
    return {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}


def _schema_of(cls: Any) -> dict[str, Any]:
    members = {name: kind for kind, name in cls.TYPE.members}
    return {
        "type": "object",
        "title": cls.__name__,
        "description": f"EIP-712 {cls.TYPE.type_string}",
        "properties": {name: _member_schema(kind) for name, kind in members.items()},
        "required": list(members),
        "additionalProperties": False,
    }


def _signed(cls: Any) -> Any:
    schema = {
        "type": "object",
        "title": f"Signed{cls.__name__}",
        "properties": {
            "statement": _schema_of(cls),
            "signature": {"type": "string", "pattern": "^0x[0-9a-f]{130}$", "examples": [_SIGNATURE_EXAMPLE]},
        },
        "required": ["statement", "signature"],
        "additionalProperties": False,
    }
    return _statement(Signed, lambda s: s.to_json(), lambda value: Signed.from_json(cls, value), schema)


TermsField = Annotated[Terms, *_statement(Terms, Terms.to_json, Terms.from_json, _schema_of(Terms))]
ContributionField = Annotated[
    Contribution, *_statement(Contribution, Contribution.to_json, Contribution.from_json, _schema_of(Contribution))
]
SignedReceipt = Annotated[Signed[Receipt], *_signed(Receipt)]
SignedClosing = Annotated[Signed[Closing], *_signed(Closing)]
SignedHeader = Annotated[Signed[RoundHeader], *_signed(RoundHeader)]
SignedAcceptance = Annotated[Signed[Acceptance], *_signed(Acceptance)]
SignedRegistration = Annotated[Signed[Registration], *_signed(Registration)]
SignedVoucher = Annotated[Signed[Voucher], *_signed(Voucher)]
