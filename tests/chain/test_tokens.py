"""Amounts are shown and parsed by the token's own decimals, asked of the chain once."""

from dataclasses import replace
from pathlib import Path

import pytest

from client.api import Api
from client.contact import Contact
from client.home import Home
from client.pins import Pin
from client.tokens import TokenBook, Unit
from contracts.abi import MalformedAnswer
from contracts.gateway import Gateway
from contracts.refusals import TransactionReverted
from ledger.hexadecimal import to_hex
from ledger.wire import Info
from tests.chain.fixtures import TestChain
from tests.chain.provider import run_provider

# Runtime code: answer any question with this word, or revert.
ANSWER = "60{:02x}60005260206000f3"
REVERT = "60006000fd"


def place(gateway: Gateway, number: int, code: str) -> bytes:
    address = bytes([number]) * 20
    gateway.rpc.send("anvil_setCode", to_hex(address), f"0x{code}")
    return address


@pytest.fixture
def found(tmp_path: Path, gateway: Gateway, dev_chain: TestChain) -> Contact:
    """A coordinator that names the chain; nobody talks to it here."""
    deployment = gateway.deployment
    pin = Pin(
        deployment.chain_id, deployment.job_ledger, deployment.node_registry, deployment.tally_token, bytes(range(20))
    )
    return Contact(Api("http://127.0.0.1:9"), pin, Info.model_construct(rpc_url=dev_chain.url), Home(tmp_path))


@pytest.mark.parametrize("decimals", [0, 6, 18, 36])
def test_decimals_are_the_tokens_own(gateway: Gateway, decimals: int) -> None:
    assert gateway.fetch_decimals(place(gateway, 0xA1, ANSWER.format(decimals))) == decimals


def test_token_without_decimals_or_with_too_many_is_refused(gateway: Gateway) -> None:
    with pytest.raises(TransactionReverted):
        gateway.fetch_decimals(place(gateway, 0xA2, REVERT))
    with pytest.raises(MalformedAnswer, match="at most 36, got 77"):
        gateway.fetch_decimals(place(gateway, 0xA3, ANSWER.format(77)))


def test_unit_is_asked_once_and_kept(found: Contact, gateway: Gateway, dev_chain: TestChain) -> None:
    token = place(gateway, 0xA4, ANSWER.format(6))
    with run_provider(dev_chain.url) as provider:
        assert TokenBook(found, provider.url).find_unit(token) == Unit(6)
        provider.silent = True
        assert TokenBook(found, provider.url).find_unit(token) == Unit(6)
    assert Unit(6).write(1_234_567_891) == "1234.567891"
    assert (Unit(6).shorten(1_500_000), Unit(0).shorten(7), Unit(8).shorten(123_456_789)) == ("1.5", "7", "1.234567…")


def test_coordinators_provider_is_asked_where_none_is_given(found: Contact, gateway: Gateway) -> None:
    assert TokenBook(found, None).find_unit(gateway.deployment.tally_token) == Unit(18)


def test_unknown_decimals_are_told_and_nothing_is_kept(
    found: Contact, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = replace(found, info=Info.model_construct(rpc_url="http://127.0.0.1:9"))
    book = TokenBook(silent, None)
    assert (
        book.find_unit(gateway.deployment.tally_token) == book.find_unit(gateway.deployment.tally_token) == Unit(None)
    )
    assert capsys.readouterr().err.count("amounts are in base units: the token's decimals are not known") == 1
    assert Unit(None).write(5) == "5 base units"
    assert TokenBook(found, None).find_unit(gateway.deployment.tally_token) == Unit(18)


def test_torn_file_is_asked_for_anew(found: Contact, gateway: Gateway) -> None:
    found.home.tokens.write_bytes(b'{"31337')
    assert TokenBook(found, None).find_unit(gateway.deployment.tally_token) == Unit(18)
    assert TokenBook(found, "http://127.0.0.1:9").find_unit(gateway.deployment.tally_token) == Unit(18)
