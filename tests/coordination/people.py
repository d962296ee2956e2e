"""Requesters and nodes: real keys over real HTTP, as small as a client can be."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from coordinator.access.sign_in import SignInMessage
from ledger import canonical
from ledger.commitment import Opening
from ledger.eip712 import Domain, compute_domain
from ledger.hashing import sha256
from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.signatures import Signer
from ledger.spec import JobSpec
from ledger.statements import Closing, Contribution, Receipt, Registration, Signed, Terms, Voucher
from tests.coordination.premises import House, make_deployment, make_signer

DOMAIN: Domain = compute_domain(make_deployment().chain_id, make_deployment().job_ledger)
REGISTRY_DOMAIN: Domain = compute_domain(make_deployment().chain_id, make_deployment().node_registry)
HARDWARE = {"platform": "test", "processor": "test", "cores": 2, "memoryBytes": 1, "accelerator": ""}
REPORT = {"loss": "1.5", "seconds": "0.25", "device": "cpu", "version": "0.1.0"}


async def sign_in(client: httpx.AsyncClient, signer: Signer) -> str:
    """A bearer token."""
    asked = await client.post("/v1/auth/nonce", json={"address": to_address(signer.address)})
    message = asked.json()["message"]
    assert SignInMessage.from_text(message).address == signer.address
    body = {"message": message, "signature": to_hex(signer.sign_message(message))}
    answered = await client.post("/v1/auth/login", json=body)
    assert answered.status_code == 200, answered.text
    token: str = answered.json()["token"]
    return token


@dataclass
class Person:
    """Someone with a key, at a house."""

    house: House
    signer: Signer
    token: str = ""

    @property
    def address(self) -> bytes:
        return self.signer.address

    async def enter(self, house: House | None = None) -> None:
        """Sign in, perhaps at a coordinator that was started anew."""
        self.house = house or self.house
        self.token = await sign_in(self.house.client, self.signer)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request with the token."""
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return await self.house.client.request(method, path, headers=headers, **options)

    async def get(self, path: str) -> Any:
        """A body that must come."""
        response = await self.send("GET", path)
        assert response.status_code == 200, response.text
        return response.json()


@dataclass
class Requester(Person):
    """Asks for jobs."""

    async def upload(self, content: bytes) -> bytes:
        digest = sha256(content)
        response = await self.send("PUT", f"/v1/blobs/{digest.hex()}", content=content)
        assert response.status_code == 204, response.text
        return digest

    async def ask(self, spec: JobSpec, terms: Terms, holdout: bytes | None = None) -> httpx.Response:
        body = {"spec": spec.to_json(), "terms": terms.to_json()}
        return await self.send("POST", "/v1/jobs", json=body | ({"holdout": to_hex(holdout)} if holdout else {}))


@dataclass
class Node(Person):
    """Trains nothing by itself: payloads are given to it. With a `platform`, that vouches for what the node `holds`."""

    openings: dict[bytes, tuple[Opening, bytes]] = field(default_factory=dict)
    platform: Signer | None = None
    holds: tuple[int, int] = (2, 150)

    async def register(self) -> httpx.Response:
        operator = make_signer(f"operator of {self.address.hex()}").address
        statement = Registration(self.address, operator, operator, self.house.context.now + 3_600)
        signed = Signed.issue(statement, self.house.context.registry_domain, self.signer)
        body = {"registration": signed.to_json(), "hardware": HARDWARE, "version": "0.1.0"}
        return await self.house.client.post("/v1/nodes", json=body)

    async def join(self) -> None:
        """Register, be admitted by the chain, sign in, and be heard."""
        registered = await self.register()
        assert registered.status_code == 202, registered.text
        await self.house.admit(self.address, self.address)
        await self.enter()
        await self.poll(0)

    async def poll(self, wait: float = 0) -> dict[str, Any] | None:
        response = await self.send("GET", f"/v1/assignments?wait={wait}")
        assert response.status_code in (200, 204), response.text
        found: dict[str, Any] | None = response.json() if response.status_code == 200 else None
        return found

    def get_voucher(self, assignment: dict[str, Any], **changes: Any) -> Signed[Voucher] | None:
        """What the platform vouches for: viewers and samples."""
        if self.platform is None:
            return None
        viewers, samples = self.holds
        voucher = Voucher(parse_hex(assignment["job"]), assignment["round"], self.address, viewers, samples)
        return Signed.issue(replace(voucher, **changes), self.house.context.domain, self.platform)

    def sign(
        self,
        assignment: dict[str, Any],
        payload: bytes,
        told: Mapping[str, str] = REPORT,
        voucher: Signed[Voucher] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """The body of a contribution that commits to this payload, with this or the platform's own voucher."""
        said, voucher = dict(told), voucher or self.get_voucher(assignment)
        if voucher is not None:
            said["voucher"] = to_hex(voucher.statement.digest(self.house.context.domain))
        opening = Opening(sha256(payload), bytes(32), sha256(b"salt" + payload + self.address))
        fields: dict[str, Any] = {
            "job": parse_hex(assignment["job"]),
            "round": assignment["round"],
            "node": self.address,
            "parent": parse_hex(assignment["parent"]),
            "base_model": parse_hex(assignment["baseModel"]),
            "commitment": opening.struct_hash(),
            "samples": 100 if voucher is None else voucher.statement.samples,
            "report": sha256(canonical.encode(said)),
        }
        domain = self.house.context.domain
        signed = Signed.issue(Contribution(**(fields | changes)), domain, self.signer)
        self.openings[signed.statement.digest(domain)] = (opening, payload)
        body: dict[str, Any] = {**signed.to_json(), "report": said}
        return body if voucher is None else body | {"voucher": voucher.to_json()}

    async def commit(self, assignment: dict[str, Any], payload: bytes, report: Mapping[str, str] = REPORT) -> Receipt:
        """Contribute, and check the receipt."""
        body = self.sign(assignment, payload, report)
        response = await self.house.client.post("/v1/contributions", json=body)
        assert response.status_code == 200, response.text
        signed = Signed.from_json(Receipt, response.json())
        domain = self.house.context.domain
        signed.verify(domain, self.house.context.signer.address)
        assert signed.statement.contribution == Contribution.from_json(body["statement"]).digest(domain)
        return signed.statement

    async def reveal(self, assignment: dict[str, Any]) -> httpx.Response:
        """Check the closing, and send the payload."""
        closing = Signed.from_json(Closing, assignment["closing"])
        closing.verify(self.house.context.domain, self.house.context.signer.address)
        digest = parse_hex(assignment["contribution"])
        assert to_hex(digest) in assignment["contributions"]
        return await self.put(digest)

    async def put(self, digest: bytes, content: bytes | None = None, salt: bytes | None = None) -> httpx.Response:
        opening, payload = self.openings[digest]
        headers = {"Tallystick-Salt": to_hex(salt or opening.salt), "Tallystick-Vector-Commitment": "0x" + "00" * 32}
        path = f"/v1/contributions/{to_hex(digest)}/payload"
        return await self.house.client.put(path, content=payload if content is None else content, headers=headers)
