"""The stand-in platform's vouchers: for what was served, once a round for each viewer, the same after any restart."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.demo.platform.app import create_app
from client.demo.platform.catalogue import Catalogue
from client.demo.platform.register import NothingToVouch, Register
from client.demo.platform.vouchers import VoucherDesk
from client.demo.processes import find_free_ports
from ledger.eip712 import compute_domain
from ledger.hexadecimal import to_address, to_hex
from ledger.signatures import Signer
from ledger.statements import Signed, Voucher
from tests.unit.client.demo.test_platform import ITEMS, SECRET, VIEWS, bearer

KEY, JOB, LEDGER = b"\7" * 32, b"\1" * 32, b"\2" * 20
PLATFORM = Signer(KEY)
DOMAIN = compute_domain(31337, LEDGER)
NODES = [Signer(bytes([9, number]) * 16).address for number in range(3)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ml-100k.item").write_text(ITEMS, encoding="utf-8")
    (tmp_path / "ml-100k.inter").write_text(VIEWS, encoding="utf-8")
    return tmp_path


def start(folder: Path) -> httpx.AsyncClient:
    """The platform, just started on its files."""
    catalogue = Catalogue.load(folder)
    desk = VoucherDesk(catalogue, Register(folder / "register.sqlite"), KEY)
    transport = httpx.ASGITransport(create_app(catalogue, SECRET, desk))
    return httpx.AsyncClient(transport=transport, base_url="http://platform")


@pytest.fixture
def client(folder: Path) -> httpx.AsyncClient:
    return start(folder)


def wish(node: bytes = NODES[0], number: int = 1, job: bytes = JOB, **changes: Any) -> dict[str, Any]:
    body = {"job": to_hex(job), "round": number, "node": to_address(node), "chainId": 31337}
    return body | {"ledger": to_address(LEDGER)} | changes


async def pull(client: httpx.AsyncClient, *viewers: str, **parameters: int) -> None:
    reply = await client.get("/v1/histories", headers=bearer(*viewers), params=parameters)
    assert reply.status_code == 200


async def ask(client: httpx.AsyncClient, *viewers: str, **changes: Any) -> tuple[int, int] | str:
    """Viewers and samples of a voucher that verifies, or the name of the refusal."""
    body = wish(**changes)
    reply = await client.post("/v1/vouchers", headers=bearer(*viewers), json=body)
    if reply.status_code != 200:
        return str(reply.json()["error"])
    voucher = Signed.from_json(Voucher, reply.json())
    voucher.verify(DOMAIN, PLATFORM.address)
    said = voucher.statement
    assert (to_hex(said.job), said.round, to_address(said.node)) == (body["job"], body["round"], body["node"])
    return said.viewers, said.samples


async def test_voucher_is_for_what_was_served_and_our_ledger_accepts_it(client: httpx.AsyncClient) -> None:
    """eth-account encodes and signs it, `ledger.statements` reads and verifies it: two implementations agree."""
    assert await ask(client, "7", "8") == "NothingToVouch"
    await pull(client, "7", "8")
    assert await ask(client, "7", "8") == (2, 3)


async def test_only_what_was_served_counts(client: httpx.AsyncClient) -> None:
    await pull(client, "7", "8", limit=2)
    assert await ask(client, "7", "8") == (2, 2)
    await pull(client, "7", "8", cursor=2)
    assert await ask(client, "7", "8", number=2) == (2, 3)


async def test_skipping_views_gives_no_samples(client: httpx.AsyncClient) -> None:
    await pull(client, "7", cursor=2)
    assert await ask(client, "7") == "NothingToVouch"
    await pull(client, "7", limit=1)
    assert await ask(client, "7") == (1, 1)


async def test_asking_again_gives_the_same_bytes_whatever_was_served_since(client: httpx.AsyncClient) -> None:
    await pull(client, "7", limit=1)
    first = await client.post("/v1/vouchers", headers=bearer("7"), json=wish())
    await pull(client, "7", cursor=1)
    again = await client.post("/v1/vouchers", headers=bearer("7"), json=wish())
    assert first.content == again.content
    assert await ask(client, "7", number=2) == (1, 2)


async def test_viewer_counts_for_one_node_in_every_round(client: httpx.AsyncClient) -> None:
    await pull(client, "7", "8")
    assert await ask(client, "7", node=NODES[0]) == (1, 2)
    assert await ask(client, "7", "8", node=NODES[1]) == (1, 1)
    assert await ask(client, "7", "8", node=NODES[2]) == "NothingToVouch"
    # Nor does the next round set them free: a key that is left with debts keeps its viewers.
    assert await ask(client, "7", node=NODES[2], number=2) == "NothingToVouch"
    assert await ask(client, "7", node=NODES[0], number=2) == (1, 2)
    # Another job is another matter.
    assert await ask(client, "7", node=NODES[2], job=b"\5" * 32) == (1, 2)


async def test_stolen_token_gives_a_second_key_nothing(client: httpx.AsyncClient) -> None:
    await pull(client, "7", "8")
    assert await ask(client, "7", "8") == (2, 3)
    reply = await client.post("/v1/vouchers", headers=bearer("7", "8"), json=wish(node=NODES[1]))
    assert reply.status_code == 409
    assert "another node" in reply.json()["detail"]


async def test_restart_forgets_nothing(folder: Path) -> None:
    before = start(folder)
    await pull(before, "7", "8")
    first = await before.post("/v1/vouchers", headers=bearer("7"), json=wish())
    after = start(folder)
    assert (await after.post("/v1/vouchers", headers=bearer("7"), json=wish())).content == first.content
    assert await ask(after, "7", node=NODES[1]) == "NothingToVouch"
    assert await ask(after, "7", "8", node=NODES[1]) == (1, 1)


async def test_same_voucher_under_another_ledger_is_another_signature(client: httpx.AsyncClient) -> None:
    await pull(client, "7")
    body = wish(ledger=to_address(b"\3" * 20), chainId=1)
    voucher = Signed.from_json(Voucher, (await client.post("/v1/vouchers", headers=bearer("7"), json=body)).json())
    voucher.verify(compute_domain(1, b"\3" * 20), PLATFORM.address)
    assert await ask(client, "7") == (1, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"round": 0},
        {"round": "1"},
        {"round": 2**53},
        {"round": 1.0},
        {"job": "0x00"},
        {"job": "0x" + "AB" * 32},
        {"node": "0x"},
        {"ledger": 5},
        {"chainId": -1},
        {"viewers": 9},
    ],
    ids=str,
)
async def test_malformed_wish_is_refused_with_its_place(client: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    reply = await client.post("/v1/vouchers", headers=bearer("7"), json=wish() | changes)
    assert (reply.status_code, reply.json()["error"]) == (422, "MalformedRequest")
    assert next(iter(changes)) in reply.json()["detail"]


async def test_vouchers_need_a_token(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/vouchers", json=wish())).status_code == 401


@given(
    asked=st.lists(
        st.tuples(
            st.integers(0, 3),  # node
            st.integers(1, 3),  # round
            st.sets(st.integers(0, 5), min_size=1),  # the token's viewers
            st.booleans(),  # whether the platform is killed before
        ),
        max_size=20,
    )
)
def test_no_viewer_counts_twice_in_a_round_whoever_asks_in_whatever_order(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[int, int, set[int], bool]]
) -> None:
    """Σ over nodes of vouched viewers ≤ viewers, and of samples ≤ samples, for all tokens, orders and restarts."""
    path = tmp_path_factory.mktemp("register") / "register.sqlite"
    register = Register(path)
    everyone = [str(viewer) for viewer in range(6)]
    register.note_served(everyone, 0, 100)
    given_out: dict[tuple[int, int], tuple[int, int]] = {}
    for node, number, viewers, killed in asked:
        if killed:
            register.close()
            register = Register(path)
        names = [str(viewer) for viewer in viewers]
        try:
            amount = register.vouch(JOB, number, bytes([node]) * 20, names, lambda viewer, _: 1 + int(viewer))
        except NothingToVouch:
            assert (node, number) not in given_out
            continue
        said = (amount.viewers, amount.samples)
        assert given_out.setdefault((node, number), said) == said
    register.close()
    for number in (1, 2, 3):
        counted = [said for (_, at), said in given_out.items() if at == number]
        assert sum(viewers for viewers, _ in counted) <= 6
        assert sum(samples for _, samples in counted) <= 1 + 2 + 3 + 4 + 5 + 6


def wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_killed_platform_vouches_for_the_same_when_it_is_back(folder: Path) -> None:
    """Kill −9 after the first voucher: the real program, its files, and a second key with the same token."""
    (folder / "secret").write_bytes(SECRET)
    (folder / "key").write_text(KEY.hex(), encoding="utf-8")
    (port,) = find_free_ports(1)
    files = ["--secret-file", "secret", "--key-file", "key", "--register", "register.sqlite"]
    command = [sys.executable, "-m", "client.demo.platform", "--data", ".", *files, "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[4])}

    def answers() -> bool:
        try:
            return bool(http.get("/v1/items").is_success)
        except httpx.TransportError:
            return False

    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        replies = []
        for _ in range(2):
            process = subprocess.Popen(command, cwd=folder, env=environment)
            try:
                wait_until(answers)
                http.get("/v1/histories", headers=bearer("7", "8"))
                replies.append(http.post("/v1/vouchers", headers=bearer("7", "8"), json=wish()))
                other = http.post("/v1/vouchers", headers=bearer("7", "8"), json=wish(node=NODES[1]))
                assert other.status_code == 409
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
    assert replies[0].status_code == 200
    assert replies[0].content == replies[1].content
