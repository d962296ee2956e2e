"""What `receipts` measures on: statements, leaves and a round's files, ours and as the peers read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from ledger import evidence
from ledger.eip712 import Domain, StructType, compute_digest, compute_domain
from ledger.entry import Body
from ledger.hexadecimal import to_address, to_hex
from ledger.signatures import Signer
from ledger.statements import Contribution, Receipt, RoundHeader
from ledger.structs import TypedStruct
from ledger.tree import Leaf
from ledger.verify.bundle import RoundFiles
from ledger.verify.receipts import CLOCK_SLACK_SECONDS
from tests.simulated.job import SimulatedJob

ELEVEN = (
    "bytes32 job,uint64 round,address node,bytes32 parent,bytes32 model,bytes32 commitment,"
    "uint64 samples,bytes32 report,uint128 stake,int128 score,uint64 deadline"
)
DOMAIN_MEMBERS = ("string name", "string version", "uint256 chainId", "address verifyingContract")


@dataclass(frozen=True)
class EncodedStatement:
    """A statement of eleven members: ours as values, the peer's as typed data."""

    struct: StructType
    values: tuple[Any, ...]
    domain: Domain
    signer: Signer

    @classmethod
    def draw(cls, random: Random) -> EncodedStatement:
        """One with random values."""
        members = _split(ELEVEN.split(","))
        values = tuple(_draw(kind, random) for kind, _ in members)
        domain = compute_domain(31337, random.randbytes(20))
        return cls(StructType("Statement", members), values, domain, Signer(random.randbytes(31) + b"\x01"))

    def digest(self) -> bytes:
        """What is signed, from values that were checked when the statement was made."""
        return compute_digest(self.domain, self.struct.hash_checked(self.values))

    def describe(self) -> dict[str, Any]:
        """As `eth_signTypedData` takes it, with a signature and who made it."""
        contract = self.domain.verifying_contract or bytes(20)
        chain = {"name": "Tallystick", "version": "1", "chainId": 31337, "verifyingContract": to_address(contract)}
        members = zip(self.struct.members, self.values, strict=True)
        statement = {
            "types": {"EIP712Domain": _list(_split(DOMAIN_MEMBERS)), "Statement": _list(self.struct.members)},
            "primaryType": "Statement",
            "domain": chain,
            "message": {name: _write(kind, value) for (kind, name), value in members},
        }
        signature = to_hex(self.signer.sign(self.digest()))
        return {"statement": statement, "signature": signature, "address": to_address(self.signer.address)}


def draw_leaves(count: int, random: Random) -> list[Leaf]:
    """Leaves of `count` entries."""
    return [Leaf(seq, random.randbytes(20), random.getrandbits(80), random.randbytes(32)) for seq in range(count)]


def write_leaves(leaves: Sequence[Leaf]) -> list[list[str]]:
    """As OpenZeppelin's tree takes them."""
    return [[str(leaf.seq), to_address(leaf.node), str(leaf.earned), to_hex(leaf.body)] for leaf in leaves]


@dataclass(frozen=True)
class PlayedRound:
    """The first round of a job."""

    job: SimulatedJob
    bundle: RoundFiles

    @classmethod
    def play(cls, nodes: int) -> PlayedRound:
        """A round of so many contributions, all revealed and scored."""
        job = SimulatedJob(nodes=nodes, rounds=1)
        played = job.play()
        return cls(job, played.bundle)

    def write(self, folder: Path) -> None:
        """Write the files, and in `context.json` what a peer's audit needs to know beside them."""
        for name, content in self.bundle.files.items():
            (folder / name).write_bytes(content)
        (folder / "context.json").write_text(json.dumps(self._describe()), encoding="utf-8")

    def _describe(self) -> dict[str, Any]:
        job, terms, spec = self.job, self.job.terms, self.job.spec
        first = evidence.decode_receipts(self.bundle.files[evidence.RECEIPTS])[0].statement
        seconds = spec.commit_seconds + spec.reveal_seconds + terms.anchor_seconds
        contract = job.domain.verifying_contract or bytes(20)
        structs: tuple[type[TypedStruct], ...] = (Contribution, Receipt, RoundHeader, Body)
        return {
            "domain": {
                "name": "Tallystick",
                "version": "1",
                "chainId": job.domain.chain_id,
                "verifyingContract": to_address(contract),
            },
            "types": {struct.TYPE.name: _list(struct.TYPE.members) for struct in structs},
            "bodyTypeHash": to_hex(Body.TYPE.type_hash),
            "job": to_hex(job.id),
            "round": 1,
            "parent": to_hex(job.id),
            "baseModel": to_hex(spec.initial_model),
            "coordinator": to_address(terms.coordinator),
            "budget": terms.budget_per_round,
            "price": terms.price_per_nat,
            "least": job.setting.opened_at + seconds,
            "most": first.received_at + seconds + CLOCK_SLACK_SECONDS,
        }


def _split(members: Sequence[str]) -> list[tuple[str, str]]:
    return [(kind, name) for kind, name in (member.split(" ") for member in members)]


def _list(members: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"type": kind, "name": name} for kind, name in members]


def _draw(kind: str, random: Random) -> Any:
    if kind == "address":
        return random.randbytes(20)
    return random.randbytes(32) if kind == "bytes32" else random.getrandbits(50)


def _write(kind: str, value: Any) -> Any:
    if kind == "address":
        return to_address(value)
    return to_hex(value) if kind == "bytes32" else value
