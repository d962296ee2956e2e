"""ethers and cast compute our digests, accept our signatures, and we accept theirs, for every signed statement."""

import json
from dataclasses import fields
from typing import Any

import pytest

from ledger import statements
from ledger.eip712 import Domain, compute_domain
from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.signatures import Signer, verify_signature
from tests.interop.conftest import RunCast, RunScript
from tests.interop.typed import TYPES, Case, draw_case, to_snake

SIGNED = [name for name in TYPES if name != "Terms"]
CHAIN_ID = 31337
LEDGER = bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")
KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
DOMAIN = {"name": "Tallystick", "version": "1", "chainId": CHAIN_ID, "verifyingContract": to_address(LEDGER)}
DOMAIN_TYPE = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(KEY)


@pytest.fixture(scope="module")
def domain() -> Domain:
    return compute_domain(CHAIN_ID, LEDGER)


def build(case: Case) -> Any:
    """Our statement with the case's values."""
    cls = getattr(statements, case.name)
    return cls(**{to_snake(name): value for name, value in case.values.items()})


def draw_cases(name: str) -> list[Case]:
    return [draw_case(name, seed, extreme=seed == 0) for seed in range(4)]


@pytest.mark.parametrize("name", TYPES)
def test_statement_has_the_members_of_the_protocol(name: str) -> None:
    case = draw_case(name, 0, extreme=False)
    assert [field.name for field in fields(getattr(statements, name))] == [
        to_snake(member) for _, member in case.members
    ]


def test_ethers_agrees_on_digests_and_signatures(signer: Signer, domain: Domain, run_script: RunScript) -> None:
    cases = [case for name in SIGNED for case in draw_cases(name)]
    digests = [build(case).digest(domain) for case in cases]
    answers = run_script(
        "typed_data",
        [
            {
                "domain": DOMAIN,
                "types": case.types,
                "message": case.message,
                "signature": to_hex(signer.sign(digest)),
                "privateKey": to_hex(KEY),
            }
            for case, digest in zip(cases, digests, strict=True)
        ],
    )
    for case, digest, theirs in zip(cases, digests, answers, strict=True):
        assert theirs["digest"] == to_hex(digest), case.name
        assert theirs["domainSeparator"] == to_hex(domain.separator)
        assert theirs["signer"] == to_address(signer.address), case.name
        verify_signature(digest, parse_hex(theirs["signature"], 65), signer.address)


@pytest.mark.parametrize("name", SIGNED)
def test_cast_accepts_our_signature_and_we_accept_its(
    name: str, signer: Signer, domain: Domain, run_cast: RunCast
) -> None:
    case = draw_case(name, 7, extreme=False)
    digest = build(case).digest(domain)
    typed = json.dumps(
        {
            "domain": DOMAIN,
            "types": {"EIP712Domain": DOMAIN_TYPE, **case.types},
            "primaryType": name,
            "message": case.message,
        }
    )
    ours = to_hex(signer.sign(digest))
    run_cast("wallet", "verify", "--data", "--address", to_address(signer.address), typed, ours)
    theirs = run_cast("wallet", "sign", "--data", "--private-key", to_hex(KEY), typed)
    verify_signature(digest, parse_hex(theirs, 65), signer.address)


def test_cast_refuses_the_signature_of_another_statement(signer: Signer, domain: Domain, run_cast: RunCast) -> None:
    first, second = (build(draw_case("Acceptance", seed, extreme=False)).digest(domain) for seed in (1, 2))
    signature = to_hex(signer.sign(first))
    address = to_address(signer.address)
    run_cast("wallet", "verify", "--no-hash", "--address", address, to_hex(first), signature)
    with pytest.raises(AssertionError, match="did not sign"):
        run_cast("wallet", "verify", "--no-hash", "--address", address, to_hex(second), signature)


def test_terms_hash_to_the_job_id_that_ethers_computes(domain: Domain, signer: Signer, run_script: RunScript) -> None:
    case = draw_case("Terms", 3, extreme=False)
    terms = build(case)
    [theirs] = run_script(
        "typed_data",
        [
            {
                "domain": DOMAIN,
                "types": case.types,
                "message": case.message,
                "signature": to_hex(signer.sign(bytes(32))),
                "privateKey": to_hex(KEY),
            }
        ],
    )
    assert theirs["structHash"] == to_hex(terms.job_id())
