"""The deployment file: where the contracts of one deployment live, and what their code hashes to.

It holds nothing secret; everyone who uses one deployment uses the same file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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

    def __init__(self, source: str, field: str, expected: str, got: str) -> None:
        self.source = source
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(
            f"{source}: expected {field} to be {expected}, got {got}: use the file that `tally-chain deploy` wrote"
        )


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
