"""What a failing provider does to reads and broadcasts."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.chain import Chain, fetch_chain_id
from contracts.errors import ChainUnreachable, NoProvider, ProviderRefused
from contracts.events import Event
from contracts.gateway import Gateway
from contracts.refusals import TransactionReverted
from contracts.rpc import Rpc
from contracts.sender import Sender
from ledger.hashing import keccak256
from ledger.signatures import Signer
from tests.chain.fixtures import TestChain, wait_mined
from tests.chain.life import Parties, begin
from tests.chain.provider import Provider, Reply, Request, refuse, run_provider


@pytest.fixture
def provider(dev_chain: TestChain) -> Iterator[Provider]:
    with run_provider(dev_chain.url) as provider:
        yield provider


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def rpc(provider: Provider, waits: list[float]) -> Iterator[Rpc]:
    with Rpc(provider.url, sleep=waits.append) as rpc:
        yield rpc


def test_read_survives_short_silence_with_growing_waits(provider: Provider, rpc: Rpc, waits: list[float]) -> None:
    replies = iter([(503, b""), (429, b""), refuse({"id": 1}, "limit exceeded", -32005)])
    provider.fault = lambda _: next(replies, None)
    assert rpc.fetch("eth_chainId") == "0x7a69"
    assert waits == [0.2, 0.4, 0.8]


@pytest.mark.parametrize("answer", [None, 31337, "", "0x", "31337", "0xzz", []], ids=repr)
def test_answer_that_is_no_chain_id_comes_from_no_provider(provider: Provider, rpc: Rpc, answer: object) -> None:
    provider.fault = lambda request: (
        200,
        json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer}).encode(),
    )
    with pytest.raises(NoProvider, match="is this the address of an RPC provider"):
        fetch_chain_id(rpc)


def test_other_service_is_no_provider(provider: Provider, rpc: Rpc) -> None:
    provider.fault = lambda _: (200, b'{"error": "UnknownPath", "detail": "not here"}')
    with pytest.raises(NoProvider, match=r"got a refusal \(UnknownPath\): is this the address of an RPC provider"):
        fetch_chain_id(rpc)


def test_read_gives_up_and_hides_the_key_in_the_address(provider: Provider, rpc: Rpc, waits: list[float]) -> None:
    provider.silent = True
    with pytest.raises(ChainUnreachable) as failure:
        rpc.fetch("eth_chainId")
    assert failure.value.attempts == 5
    assert len(waits) == 4
    assert "key-in-path" not in str(failure.value)


def test_change_is_sent_once(provider: Provider, rpc: Rpc) -> None:
    provider.silent = True
    with pytest.raises(ChainUnreachable):
        rpc.send("evm_mine")
    assert provider.requests == ["evm_mine"]


def test_answer_that_is_not_json_is_no_answer(provider: Provider, rpc: Rpc) -> None:
    provider.fault = lambda _: (200, b"<html>maintenance</html>")
    with pytest.raises(ChainUnreachable, match="not JSON-RPC"):
        rpc.fetch("eth_chainId")


def test_refusal_in_an_http_error_is_read(provider: Provider, rpc: Rpc) -> None:
    answer = refuse({"id": 1}, "query returns more than 10000 results", -32600)
    provider.fault = lambda _: answer and (400, answer[1])
    with pytest.raises(ProviderRefused) as refusal:
        rpc.fetch("eth_getLogs", {})
    assert (refusal.value.code, refusal.value.reason) == (-32600, "query returns more than 10000 results")
    assert len(provider.requests) == 1


def test_events_of_a_range_too_long_come_in_halves(
    dev_chain: TestChain, provider: Provider, gateway: Gateway, parties: Parties
) -> None:
    begin(gateway, parties)
    dev_chain.mine(40)
    head = gateway.fetch_head().number
    expected = gateway.fetch_events(0, head)

    def limit(request: Request) -> Reply:
        if request["method"] != "eth_getLogs":
            return None
        query = request["params"][0]
        blocks = int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1
        return refuse(request, "block range is too wide", -32602) if blocks > 7 else None

    provider.fault = limit
    with Gateway.connect(provider.url, gateway.deployment) as limited:
        got: tuple[Event, ...] = limited.fetch_events(0, head)
    assert got == expected != ()


def test_events_refused_for_one_block_are_an_error(provider: Provider, gateway: Gateway) -> None:
    provider.fault = lambda request: refuse(request, "no") if request["method"] == "eth_getLogs" else None
    with Gateway.connect(provider.url, gateway.deployment) as limited, pytest.raises(ProviderRefused, match="no"):
        limited.fetch_events(0, 9)


def test_lost_reply_to_a_broadcast_is_repeated_and_takes_effect_once(
    dev_chain: TestChain, provider: Provider, gateway: Gateway, parties: Parties
) -> None:
    target = b"\x77" * 20
    provider.lose_replies = {"eth_sendRawTransaction"}
    with Rpc(provider.url, attempts=2, backoff_seconds=0) as rpc:
        sender = Sender(Gateway(rpc, gateway.deployment), parties(0).signer)
        transaction = sender.sign(gateway.calls.transfer(target, 5))
        with pytest.raises(ChainUnreachable):
            sender.broadcast(transaction)
        provider.lose_replies = set()
        sender.broadcast(transaction)
    wait_mined(gateway.rpc)
    assert provider.requests.count("eth_sendRawTransaction") == 3
    assert gateway.fetch_token_balance(target) == 5


@pytest.mark.parametrize(
    ("message", "data"),
    [
        ("execution reverted", "{data}"),
        ("VM execution error.", "Reverted {data}"),
        ("Internal JSON-RPC error.", {"data": "{data}", "message": "revert"}),
    ],
)
def test_revert_is_read_wherever_a_provider_puts_it(
    provider: Provider, gateway: Gateway, message: str, data: object
) -> None:
    text = "0x" + (keccak256(b"JobLedger_UnknownJob(bytes32)")[:4] + b"\x01" * 32).hex()
    filled = {**data, "data": text} if isinstance(data, dict) else str(data).replace("{data}", text)
    provider.fault = lambda request: refuse(request, message, -32015, filled)
    with Rpc(provider.url) as rpc, pytest.raises(TransactionReverted) as refusal:
        Sender(Chain(rpc, 31337), Signer(b"\x01" * 32)).sign(gateway.calls.close_job(b"\x01" * 32))
    assert refusal.value.error == "JobLedger_UnknownJob"
    assert refusal.value.operands == {"job": b"\x01" * 32}


def test_gas_is_estimated_where_a_provider_knows_no_pending_state(provider: Provider, gateway: Gateway) -> None:
    def refuse_block(request: Request) -> Reply:
        asked = request["method"] == "eth_estimateGas" and len(request["params"]) > 1
        return refuse(request, "too many arguments, want at most 1", -32602) if asked else None

    provider.fault = refuse_block
    call = gateway.calls.approve(b"\x01" * 20, 1)
    with Gateway.connect(provider.url, gateway.deployment) as limited:
        assert limited.execution.estimate_gas(call, b"\x09" * 20) == gateway.execution.estimate_gas(call, b"\x09" * 20)


def test_threads_share_a_connection(gateway: Gateway) -> None:
    with ThreadPoolExecutor(8) as pool:
        balances = list(pool.map(lambda number: gateway.fetch_balance(bytes([number]) * 20), range(1, 200)))
    assert balances == [0] * 199
