"""What the auditor trusts, from the command line or the auditor's own policy file; a copy elsewhere is never read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.errors import ClientError, UsageRefused
from client.home import Home, save_durably
from ledger.errors import Malformed
from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex

NEWEST: Final = "newest"
FINALIZED: Final = "finalized"

_KEYS: Final = frozenset({"chainId", "jobLedger", "codeHash", "coordinator", "finality"})


class MalformedPolicy(ClientError):
    """The policy file was changed by something else."""

    exit_code = 2

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}; write it anew with `tally audit pin`")


@dataclass(frozen=True, slots=True)
class Policy:
    """What an auditor pinned, from someone other than the coordinator.

    A chain (None: whatever the auditor's provider serves) and the JobLedger on it (20 bytes); the hash of the ledger's
    code (None: it must be the code of this version) and the coordinator (None: any); whether audits read the chain's
    newest block or its newest final one.
    """

    chain_id: int | None
    job_ledger: bytes
    code_hash: bytes | None = None
    coordinator: bytes | None = None
    finalized: bool = False

    def save(self, home: Home) -> Path:
        """Writes the policy file."""
        path = find_policy(home)
        value = {
            "chainId": self.chain_id,
            "jobLedger": to_address(self.job_ledger),
            "codeHash": None if self.code_hash is None else to_hex(self.code_hash),
            "coordinator": None if self.coordinator is None else to_address(self.coordinator),
            "finality": FINALIZED if self.finalized else NEWEST,
        }
        save_durably(path, json.dumps(value, indent=2).encode() + b"\n")
        return path

    @classmethod
    def load(cls, home: Home) -> Policy | None:
        """Reads the policy file, None where there is none. Raises MalformedPolicy."""
        path = find_policy(home)
        try:
            return cls.from_json(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (Malformed, ValueError, TypeError, KeyError) as error:
            raise MalformedPolicy(path, f"not an auditor's policy ({error})") from None

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Policy:
        """Reads the file's object; what an older version did not pin is not pinned. Raises Malformed, KeyError."""
        chain_id, code_hash, coordinator = value["chainId"], value.get("codeHash"), value.get("coordinator")
        if type(chain_id) is not int:
            raise Malformed("chainId", "an integer", chain_id)
        finality = value.get("finality", NEWEST)
        if finality not in (NEWEST, FINALIZED) or set(value) - _KEYS:
            raise Malformed("policy", f"{', '.join(sorted(_KEYS))}, with finality {NEWEST} or {FINALIZED}", value)
        return cls(
            chain_id,
            parse_address(value["jobLedger"], "jobLedger"),
            None if code_hash is None else parse_hex(code_hash, 32, "codeHash"),
            None if coordinator is None else parse_address(coordinator, "coordinator"),
            finality == FINALIZED,
        )


def find_policy(home: Home) -> Path:
    """Where the policy file lies."""
    return home.path / "auditor.json"


def choose_policy(home: Home, ledger: str | None, chain_id: int | None) -> Policy:
    """What options and policy file together say.

    Raises:
        UsageRefused: nothing names a ledger, or options contradict the policy file.
        MalformedPolicy: the file is none of ours.
    """
    pinned = Policy.load(home)
    try:
        given = parse_address(ledger) if ledger else None
    except Malformed as error:
        raise UsageRefused(f"--ledger: {error}") from None
    if given is None and pinned is None:
        raise UsageRefused(
            "which ledger do you trust? Give --ledger ADDRESS, or pin it once with `tally audit pin`; "
            "what a coordinator says of itself decides nothing here"
        )
    if pinned is None or given not in (None, pinned.job_ledger):
        return Policy(chain_id, given or bytes(20))
    if chain_id not in (None, pinned.chain_id):
        raise UsageRefused(
            f"expected chain {pinned.chain_id} as {find_policy(home)} has it for this ledger, got --chain-id {chain_id}"
        )
    return pinned
