"""Sign-in over HTTP: a nonce serves once, every line counts, and tokens run out."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.devchain import DevChain
from coordinator.access.sign_in import SignInMessage
from coordinator.access.tables import TokenRow
from coordinator.compute.supervisor import ComputeChild
from ledger.hexadecimal import to_address, to_hex
from tests.coordination.people import Person, sign_in
from tests.coordination.premises import House, Premises, make_signer

ANNE = make_signer("anne")


@pytest.fixture
def premises(tmp_path: Path, compute: ComputeChild, dev_chain: DevChain) -> Premises:
    """A wrong signature could be that of a contract wallet: the chain is asked."""
    return Premises(tmp_path, compute=compute, options={"rpc_url": dev_chain.url})


async def ask(house: House) -> SignInMessage:
    response = await house.client.post("/v1/auth/nonce", json={"address": to_address(ANNE.address)})
    return SignInMessage.from_text(response.json()["message"])


async def login(house: House, message: SignInMessage, signer_name: str = "anne") -> tuple[int, str]:
    text = message.to_text()
    body = {"message": text, "signature": to_hex(make_signer(signer_name).sign_message(text))}
    response = await house.client.post("/v1/auth/login", json=body)
    return response.status_code, response.json().get("error", "")


async def test_signed_in_address_is_known_by_its_token(house: House) -> None:
    person = Person(house, ANNE)
    await person.enter()
    response = await person.send("GET", "/v1/assignments")
    assert response.status_code == 204
    with house.context.database.read() as session:
        assert person.token.encode() not in bytes(session.get_one(TokenRow, _digest(person.token)).digest)


async def test_nonce_serves_once(house: House) -> None:
    message = await ask(house)
    assert (await login(house, message))[0] == 200
    assert await login(house, message) == (401, "SignInRefused")


async def test_nonce_is_used_up_by_a_failed_attempt(house: House) -> None:
    message = await ask(house)
    assert await login(house, message, "somebody else") == (401, "SignInRefused")
    assert await login(house, message) == (401, "SignInRefused")


@pytest.mark.parametrize(
    "change",
    [
        {"domain": "evil.test"},
        {"uri": "http://evil.test"},
        {"chain_id": 1},
        {"address": make_signer("somebody else").address},
        {"nonce": "0123456789abcdef"},
        {"issued_at": 1},
        {"expires_at": 2**32},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_changed_line_is_refused(house: House, change: dict[str, object]) -> None:
    message = replace(await ask(house), **change)  # type: ignore[arg-type]  # members by name
    assert await login(house, message) == (401, "SignInRefused")


async def test_expired_message_is_refused(house: House) -> None:
    message = await ask(house)
    house.clock.advance(house.context.settings.nonce_seconds + 1)
    assert await login(house, message) == (401, "SignInRefused")


async def test_token_runs_out(house: House) -> None:
    person = Person(house, ANNE)
    await person.enter()
    house.clock.advance(house.context.settings.token_seconds + 1)
    response = await person.send("GET", "/v1/assignments")
    assert (response.status_code, response.json()["error"]) == (401, "NotSignedIn")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer nobody"])
async def test_bad_token_is_refused(house: House, header: str) -> None:
    response = await house.client.get("/v1/assignments", headers={"Authorization": header})
    assert (response.status_code, response.json()["error"]) == (401, "NotSignedIn")


async def test_malformed_message_is_refused_by_its_line(house: House) -> None:
    body = {"message": "hello", "signature": to_hex(ANNE.sign_message("hello"))}
    response = await house.client.post("/v1/auth/login", json=body)
    assert (response.status_code, response.json()["error"]) == (422, "MalformedSignIn")


async def test_token_survives_a_restart(house: House) -> None:
    token = await sign_in(house.client, ANNE)
    house.context.known_tokens.clear()
    response = await house.client.get("/v1/assignments", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 204


async def test_body_over_the_limit_is_refused(house: House) -> None:
    async def pour() -> object:
        for _ in range(40):
            yield b"x" * 65_536

    announced = await house.client.post("/v1/auth/nonce", content=b"x" * 2_000_000)
    streamed = await house.client.post("/v1/auth/nonce", content=pour())  # type: ignore[arg-type]  # an async iterator
    assert [announced.status_code, streamed.status_code] == [413, 413]
    assert announced.json()["error"] == streamed.json()["error"] == "BlobTooLarge"


async def test_unknown_path_and_method_have_the_same_form(house: House) -> None:
    missing, wrong = await house.client.get("/v1/nothing"), await house.client.put("/v1/jobs")
    assert (missing.status_code, missing.json()["error"]) == (404, "UnknownPath")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "WrongMethod")
    assert all("GET /openapi.json" in answer.json()["detail"] for answer in (missing, wrong))


def _digest(token: str) -> bytes:
    from ledger.hashing import sha256  # noqa: PLC0415

    return sha256(token.encode())
