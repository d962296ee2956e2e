"""The deployment file: where the contracts of one deployment live, and what their code hashes to.

It holds nothing secret; everyone who uses one deployment uses the same file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import MalformedHex
from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex

PROTOCOL = 1
ZERO_ADDRESS = bytes(20)

# JSON keys and contract names; the last two contracts may be absent (null).
CONTRACTS = {
    "tallyToken": "TallyToken",
    "nodeRegistry": "NodeRegistry",
    "jobLedger": "JobLedger",
    "challengeCourt": "ChallengeCourt",
    "witnessQuorum": "WitnessQuorum",
}
OPTIONAL = frozenset({"challengeCourt", "witnessQuorum"})
KEYS = frozenset({"protocol", "chainId", "block", "codeHashes", *CONTRACTS})


class MalformedDeployment(Exception):
    """A deployment file does not say what such a file must say."""

    exit_code = 2

    def __init__(self, source: str, field: str, expected: str, got: str) -> None:
        self.source = source
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(
            f"{source}: expected {field} to be {expected}, got {got}: use the file that `tally-chain deploy` wrote"
        )


class DeploymentExists(Exception):
    """There is a deployment file already where one is to be written."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"expected no file at {path}, got one: a deployment is never overwritten, name another file")


@dataclass(frozen=True)
class Deployment:
    """One deployment of the contracts.

    Attributes:
        chain_id: the chain they live on.
        tally_token: reward token; jobs may use another one.
        node_registry: also the verifying contract of registrations.
        job_ledger: also the verifying contract of all other statements.
        challenge_court: 20 zero bytes where there is none.
        witness_quorum: 20 zero bytes where there is none.
        block: number of the first block that holds any of them; events start here.
        code_hashes: keccak256 of the code at each address, by contract name.
    """

    chain_id: int
    tally_token: bytes
    node_registry: bytes
    job_ledger: bytes
    challenge_court: bytes
    witness_quorum: bytes
    block: int
    code_hashes: Mapping[str, bytes]

    def find_address(self, contract: str) -> bytes:
        """Return the address of a contract by its Solidity name."""
        return self.addresses[contract]

    @property
    def addresses(self) -> dict[str, bytes]:
        """Addresses of the contracts that exist, by Solidity name."""
        found = {
            "TallyToken": self.tally_token,
            "NodeRegistry": self.node_registry,
            "JobLedger": self.job_ledger,
            "ChallengeCourt": self.challenge_court,
            "WitnessQuorum": self.witness_quorum,
        }
        return {name: address for name, address in found.items() if address != ZERO_ADDRESS}

    def to_json(self) -> dict[str, object]:
        """Return the file's JSON object."""
        found = self.addresses
        places = {key: to_address(found[name]) if name in found else None for key, name in CONTRACTS.items()}
        hashes = {name: to_hex(self.code_hashes[name]) for name in found}
        return {"protocol": PROTOCOL, "chainId": self.chain_id, **places, "block": self.block, "codeHashes": hashes}

    @classmethod
    def from_json(cls, value: object, source: str = "deployment") -> Deployment:
        """Return the deployment that a JSON object describes; unknown or missing keys are errors.

        Raises:
            MalformedDeployment: naming the field.
        """
        if not isinstance(value, dict) or set(value) != KEYS:
            got = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
            raise MalformedDeployment(
                source, "the file", f"an object with the keys {', '.join(sorted(KEYS))}", str(got)
            )
        if value["protocol"] != PROTOCOL:
            raise MalformedDeployment(source, "protocol", str(PROTOCOL), repr(value["protocol"]))
        places = {key: _read_place(source, key, value[key]) for key in CONTRACTS}
        present = {CONTRACTS[key] for key, address in places.items() if address != ZERO_ADDRESS}
        return cls(
            chain_id=_read_natural(source, "chainId", value["chainId"]),
            tally_token=places["tallyToken"],
            node_registry=places["nodeRegistry"],
            job_ledger=places["jobLedger"],
            challenge_court=places["challengeCourt"],
            witness_quorum=places["witnessQuorum"],
            block=_read_natural(source, "block", value["block"]),
            code_hashes=_read_hashes(source, value["codeHashes"], present),
        )

    @classmethod
    def load(cls, path: Path) -> Deployment:
        """Return the deployment in a file.

        Raises:
            MalformedDeployment: no such file, not JSON, or not a deployment.
            OSError: the file cannot be read.
        """
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise MalformedDeployment(str(path), "the file", "there", "no such file") from None
        except ValueError as error:
            raise MalformedDeployment(str(path), "the file", "UTF-8 JSON", str(error)) from None
        return cls.from_json(value, str(path))

    def save(self, path: Path) -> None:
        """Write the deployment to a new file.

        Raises:
            DeploymentExists: there is a file already.
        """
        text = json.dumps(self.to_json(), indent=2) + "\n"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise DeploymentExists(path) from None


def _read_natural(source: str, field: str, value: object) -> int:
    if type(value) is not int or value < 0:
        raise MalformedDeployment(source, field, "an integer, 0 or more", repr(value))
    return value


def _read_place(source: str, key: str, value: object) -> bytes:
    if value is None and key in OPTIONAL:
        return ZERO_ADDRESS
    try:
        address = parse_address(value, key)
    except MalformedHex as error:
        raise MalformedDeployment(source, key, error.expected, repr(value)) from None
    if address == ZERO_ADDRESS:
        raise MalformedDeployment(source, key, "null, or the address of a contract", repr(value))
    return address


def _read_hashes(source: str, value: object, present: set[str]) -> dict[str, bytes]:
    if not isinstance(value, dict) or set(value) != present:
        raise MalformedDeployment(
            source, "codeHashes", f"one hash for each of {', '.join(sorted(present))}", repr(value)
        )
    try:
        return {name: parse_hex(code_hash, 32, name) for name, code_hash in value.items()}
    except MalformedHex as error:
        raise MalformedDeployment(source, f"codeHashes.{error.subject}", error.expected, repr(error.got)) from None
