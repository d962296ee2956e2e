"""The generic EIP-712 path against 130 cases of ethers: type strings, struct hashes, digests."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ledger.eip712 import Domain, compute_digest, parse_types
from ledger.hexadecimal import parse_address, parse_hex, to_hex
from tests.vectors import outside

pytestmark = outside.absent


def read_value(kind: str, value: Any, types: Mapping[str, Sequence[Mapping[str, str]]]) -> Any:
    """A JSON value as the Python value its type wants: the test's own reader, the encoder takes exact types only."""
    array = re.fullmatch(r"(.+)\[\d*\]", kind)
    if array:
        return [read_value(array[1], item, types) for item in value]
    if kind in types:
        return {member["name"]: read_value(member["type"], value[member["name"]], types) for member in types[kind]}
    if kind == "address":
        return parse_address(value)
    if kind.startswith("bytes"):
        return parse_hex(value)
    return int(value) if "int" in kind else value


def read_domain(domain: Mapping[str, Any]) -> Domain:
    return Domain(
        name=domain.get("name"),
        version=domain.get("version"),
        chain_id=domain.get("chainId"),
        verifying_contract=parse_address(domain["verifyingContract"]) if "verifyingContract" in domain else None,
        salt=parse_hex(domain["salt"], 32) if "salt" in domain else None,
    )


@outside.each(lambda: outside.load("ethers-testcases", "typed-data.json"), lambda case: case["name"])
def test_digest(case: Any) -> None:
    struct = parse_types(case["types"], case["primaryType"])
    struct_hash = struct.hash(read_value(case["primaryType"], case["data"], case["types"]))
    assert to_hex(compute_digest(read_domain(case["domain"]), struct_hash)) == case["digest"]
    assert case["encoded"].startswith(to_hex(struct.type_hash)), struct.type_string


def test_every_case_has_its_own_digest() -> None:
    cases = outside.load("ethers-testcases", "typed-data.json")
    assert len(cases) == 130
    assert len({case["digest"] for case in cases}) == len({json.dumps({**case, "name": ""}) for case in cases})
