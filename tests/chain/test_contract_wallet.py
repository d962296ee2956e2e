"""Wallets that are contracts (ERC-1271) sign in, own jobs and nodes; nothing else passes for one."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from contracts.abi import Interface
from contracts.build import compile_files
from contracts.chain import Chain
from contracts.contract_wallet import is_valid_signature
from contracts.gateway import Gateway
from contracts.transactions import Call
from coordinator.compute.supervisor import ComputeChild
from ledger.hashing import keccak256
from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.signatures import Signer, compute_message_digest
from ledger.statements import Registration, Signed
from tests.chain.fixtures import Party, TestChain
from tests.chain.life import BUDGET, FAR, begin, name_node
from tests.chain.provider import run_provider
from tests.coordination.people import Node, sign_in
from tests.coordination.premises import House, Premises, make_signer

# Runtime code of wallets that do not approve, each in its own way.
STUBBORN = {
    "reverts": "60006000fd",
    "never-ends": "5b600056",
    "answers-nothing": "00",
    "answers-zeros": "60206000f3",
    "answers-its-question": "3660006000373660 00f3".replace(" ", ""),
    "answers-the-bare-selector": "631626ba7e60e01b60005260046000f3",
}


@dataclass(frozen=True)
class KeyWallet:
    """A deployed `contracts/test/KeyWallet.sol` and its owner."""

    address: bytes
    interface: Interface
    owner: Party

    def approve(self, digest: bytes) -> bytes:
        """What the wallet takes for its signature over the digest."""
        return self.owner.signer.sign(keccak256(self.address.rjust(32, b"\0") + digest))

    def execute(self, call: Call) -> None:
        """Have the wallet make a call."""
        data = self.interface.encode_call("execute", (call.target, call.data))
        self.owner.sender.execute(Call(self.address, data, 0, f"KeyWallet: {call.label}"))


@pytest.fixture(scope="module")
def built() -> tuple[Interface, bytes]:
    (contract,) = compile_files(["test/KeyWallet.sol"])["contracts"]["test/KeyWallet.sol"].values()
    return Interface("KeyWallet", contract["abi"]), bytes.fromhex(contract["evm"]["bytecode"]["object"])


@pytest.fixture
def wallet(built: tuple[Interface, bytes], gateway: Gateway, parties: Callable[[int], Party]) -> KeyWallet:
    interface, code = built
    owner = parties(3)
    creation = code + interface.encode_deployment((owner.address,))
    mined = owner.sender.execute(Call(b"", creation, 0, "KeyWallet"))
    receipt = gateway.rpc.fetch("eth_getTransactionReceipt", to_hex(mined.hash))
    return KeyWallet(parse_hex(receipt["contractAddress"], 20), interface, owner)


@pytest.fixture(scope="module")
def compute() -> Iterator[ComputeChild]:
    """Never started: nobody trains here."""
    child = ComputeChild(threads=1)
    yield child
    child.close()


@pytest.fixture
async def house(tmp_path: Path, dev_chain: TestChain, gateway: Gateway) -> AsyncIterator[House]:
    async with Premises(tmp_path, options={"rpc_url": dev_chain.url}).open() as house:
        yield house


async def ask(house: House, address: bytes) -> str:
    response = await house.client.post("/v1/auth/nonce", json={"address": to_address(address)})
    message: str = response.json()["message"]
    return message


async def login(house: House, message: str, signature: bytes) -> tuple[int, dict[str, object]]:
    response = await house.client.post("/v1/auth/login", json={"message": message, "signature": to_hex(signature)})
    return response.status_code, response.json()


async def test_contract_wallet_signs_in_by_what_it_approves(house: House, wallet: KeyWallet) -> None:
    message = await ask(house, wallet.address)
    status, session = await login(house, message, wallet.approve(compute_message_digest(message)))
    assert (status, session["address"]) == (200, to_address(wallet.address))
    headers = {"Authorization": f"Bearer {session['token']}"}
    content = b"a file of the wallet's job"
    answer = await house.client.put(f"/v1/blobs/{_sha256(content)}", content=content, headers=headers)
    assert answer.status_code == 204


async def test_owners_own_signature_is_not_the_wallets(house: House, wallet: KeyWallet) -> None:
    message = await ask(house, wallet.address)
    status, refusal = await login(house, message, wallet.owner.signer.sign_message(message))
    assert (status, refusal["error"]) == (401, "SignInRefused")
    assert "or one that a contract wallet there approves" in str(refusal["detail"])


async def test_approval_of_another_message_is_refused(house: House, wallet: KeyWallet) -> None:
    message = await ask(house, wallet.address)
    status, _ = await login(house, message, wallet.approve(compute_message_digest(message + ".")))
    assert status == 401


@pytest.mark.parametrize("signature", [b"", b"\x01", bytes(65), bytes(8_192)], ids=len)
async def test_signature_of_any_length_is_refused_by_a_sentence(
    house: House, wallet: KeyWallet, signature: bytes
) -> None:
    message = await ask(house, wallet.address)
    status, refusal = await login(house, message, signature)
    assert (status, refusal["error"]) == (422, "MalformedSignature")


async def test_signature_that_is_too_long_never_reaches_the_chain(house: House, wallet: KeyWallet) -> None:
    status, refusal = await login(house, await ask(house, wallet.address), bytes(8_193))
    assert (status, refusal["error"]) == (422, "MalformedRequest")


@pytest.mark.parametrize("code", STUBBORN.values(), ids=STUBBORN)
async def test_contract_that_does_not_approve_lets_nobody_in(house: House, gateway: Gateway, code: str) -> None:
    address = make_signer("a contract").address
    gateway.rpc.send("anvil_setCode", to_hex(address), f"0x{code}")
    message = await ask(house, address)
    status, refusal = await login(house, message, make_signer("somebody").sign_message(message))
    assert (status, refusal["error"]) == (401, "SignInRefused")


async def test_silent_chain_is_told_and_the_nonce_serves_afterwards(
    tmp_path: Path, dev_chain: TestChain, wallet: KeyWallet
) -> None:
    with run_provider(dev_chain.url) as provider:
        async with Premises(tmp_path, options={"rpc_url": provider.url}).open() as house:
            message = await ask(house, wallet.address)
            signature = wallet.approve(compute_message_digest(message))
            provider.silent = True
            status, refusal = await login(house, message, signature)
            assert (status, refusal["error"]) == (503, "WalletUnverified")
            assert f"expected a signature by the key of {to_address(wallet.address)}" in str(refusal["detail"])
            assert "could not be asked (expected an answer from the chain" in str(refusal["detail"])
            assert "send the same again later" in str(refusal["detail"])
            assert "key-in-path" not in str(refusal)
            provider.silent = False
            assert (await login(house, message, signature))[0] == 200
            assert (await login(house, message, signature))[0] == 401


async def test_own_keys_need_no_chain(tmp_path: Path) -> None:
    async with Premises(tmp_path, options={"rpc_url": "http://127.0.0.1:9"}).open() as house:
        assert await sign_in(house.client, make_signer("anne"))


async def test_node_with_code_signs_with_its_key_only(house: House, wallet: KeyWallet, gateway: Gateway) -> None:
    node = Node(house, make_signer("node with code"))
    await node.register()
    await house.admit(node.address, node.address)
    code = gateway.fetch_code(wallet.address)
    gateway.rpc.send("anvil_setCode", to_hex(node.address), to_hex(code))
    here = replace(wallet, address=node.address)
    message = await ask(house, node.address)
    assert is_valid_signature(gateway, node.address, bytes(32), here.approve(bytes(32)))
    status, refusal = await login(house, message, here.approve(compute_message_digest(message)))
    assert (status, refusal["error"]) == (401, "SignInRefused")
    assert "a contract's approval" in str(refusal["detail"])
    assert await sign_in(house.client, node.signer)


def test_contract_wallet_opens_a_job_and_owns_a_node(
    gateway: Gateway, parties: Callable[[int], Party], wallet: KeyWallet
) -> None:
    life = begin(gateway, parties)
    bought = replace(life, requester=Party(_Address(wallet.address), life.requester.sender), nonce=2)  # type: ignore[arg-type]
    life.token_holder.sender.execute(gateway.calls.transfer(wallet.address, bought.rounds * BUDGET))
    life.token_holder.sender.execute(gateway.calls.transfer(life.coordinator.address, 5 * BUDGET))
    life.coordinator.sender.execute(gateway.calls.approve(gateway.deployment.job_ledger, 5 * BUDGET))
    life.coordinator.sender.execute(gateway.calls.deposit_bond(5 * BUDGET))
    acceptance = bought.issue_acceptance()
    wallet.execute(gateway.calls.approve(gateway.deployment.job_ledger, bought.rounds * BUDGET))
    wallet.execute(gateway.calls.open_job(bought.terms, FAR, acceptance.signature))
    state = gateway.fetch_job(bought.job)
    assert state is not None
    assert state.requester == wallet.address

    node = name_node(1)
    registration = Registration(node.address, wallet.address, node.address, FAR)
    signed = Signed.issue(registration, gateway.registry_domain, node)
    life.coordinator.sender.execute(gateway.calls.register(registration, signed.signature))
    wallet.execute(gateway.calls.set_payout(node.address, wallet.address))
    kept = gateway.fetch_node(node.address)
    assert kept is not None
    assert (kept.operator, kept.payout) == (wallet.address, wallet.address)


def test_address_without_code_approves_nothing(gateway: Gateway) -> None:
    chain = Chain(gateway.rpc, gateway.chain_id)
    signer = Signer(keccak256(b"nobody's contract"))
    assert not is_valid_signature(chain, signer.address, bytes(32), signer.sign(bytes(32)))


@dataclass(frozen=True)
class _Address:
    """Stands where a party's key stands, for a party without one."""

    address: bytes


def _sha256(content: bytes) -> str:
    from ledger.hashing import sha256  # noqa: PLC0415

    return sha256(content).hex()
