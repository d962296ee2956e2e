"""The stand-in video platform: histories only for the viewers a token names, and only what is new."""

from pathlib import Path

import httpx
import pytest

from client.demo.platform.app import create_app
from client.demo.platform.catalogue import Catalogue, MalformedCatalogue
from client.demo.platform.register import Register
from client.demo.platform.tokens import TokenRefused, issue_token, read_token
from client.demo.platform.vouchers import VoucherDesk

SECRET = b"a platform's secret"
ITEMS = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "1\tToy Story\t1995\tx\n2\tFour Rooms\t\tx\n"
)
VIEWS = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "7\t2\t3\t300\n8\t1\t5\t200\n7\t1\t4\t100\n9\t1\t4\t400\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ml-100k.item").write_text(ITEMS, encoding="utf-8")
    (tmp_path / "ml-100k.inter").write_text(VIEWS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def client(folder: Path) -> httpx.AsyncClient:
    catalogue = Catalogue.load(folder)
    desk = VoucherDesk(catalogue, Register(folder / "register.sqlite"), b"\1" * 32)
    transport = httpx.ASGITransport(create_app(catalogue, SECRET, desk))
    return httpx.AsyncClient(transport=transport, base_url="http://platform")


def bearer(*viewers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_token(SECRET, viewers)}"}


async def test_histories_hold_only_the_named_viewers_in_time_order(client: httpx.AsyncClient) -> None:
    reply = (await client.get("/v1/histories", headers=bearer("7", "8"))).json()
    assert [(event["viewer"], event["item"]) for event in reply["events"]] == [("7", 0), ("8", 0), ("7", 1)]
    assert reply["viewers"] == ["7", "8"]
    assert not reply["more"]


async def test_cursor_brings_only_what_is_new(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/histories", headers=bearer("7"), params={"limit": 1})).json()
    rest = (await client.get("/v1/histories", headers=bearer("7"), params={"cursor": first["cursor"]})).json()
    done = (await client.get("/v1/histories", headers=bearer("7"), params={"cursor": rest["cursor"]})).json()
    assert [event["item"] for event in first["events"]] == [0]
    assert first["more"]
    assert [event["item"] for event in rest["events"]] == [1]
    assert done["events"] == []
    assert done["cursor"] == rest["cursor"]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer x.y"}])
async def test_histories_without_a_token_are_refused(client: httpx.AsyncClient, header: dict[str, str]) -> None:
    reply = await client.get("/v1/histories", headers=header)
    assert reply.status_code == 401
    assert reply.json()["error"] == "TokenRefused"


def test_token_of_another_secret_or_with_another_viewer_is_refused() -> None:
    token = issue_token(SECRET, ["7"])
    body, mac = token.split(".")
    other_body = issue_token(b"another", ["7", "8"]).split(".")[0]
    for forged in (issue_token(b"another", ["7"]), f"{other_body}.{mac}", f"{body}.{mac[:-2]}", body):
        with pytest.raises(TokenRefused):
            read_token(SECRET, forged)
    assert read_token(SECRET, token) == ("7",)


async def test_titles_carry_the_year_where_it_is_known(client: httpx.AsyncClient) -> None:
    items = (await client.get("/v1/items")).json()["items"]
    assert items == [{"item": 0, "title": "Toy Story (1995)"}, {"item": 1, "title": "Four Rooms"}]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("ml-100k.item", "id\ttitle\n", "columns"),
        ("ml-100k.item", ITEMS.replace("2\tFour", "5\tFour"), "without a gap"),
        ("ml-100k.inter", VIEWS + "7\t9\t3\t500\n", "not among the 2"),
        ("ml-100k.inter", VIEWS + "7\tone\t3\t500\n", "not a number"),
        ("ml-100k.inter", VIEWS + "7\t1\n", "2 columns"),
    ],
)
def test_malformed_files_say_line_and_expectation(folder: Path, name: str, content: str, said: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(MalformedCatalogue, match=said):
        Catalogue.load(folder)
