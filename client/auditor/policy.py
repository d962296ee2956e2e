"""What the auditor trusts: one chain and one ledger on it, from the command line or the auditor's own policy file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from client.errors import ClientError, UsageRefused
from client.home import Home, save_durably
from ledger.errors import Malformed
from ledger.hexadecimal import parse_address, to_address


class MalformedPolicy(ClientError):
    """The policy file was changed by something else."""

    exit_code = 2

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}; write it anew with `tally audit pin`")


@dataclass(frozen=True, slots=True)
class Policy:
    """A chain and the JobLedger on it (20 bytes); `chain_id` None stands for whatever the auditor's provider serves."""

    chain_id: int | None
    job_ledger: bytes

    def save(self, home: Home) -> Path:
        """Writes the policy file."""
        path = find_policy(home)
        value = {"chainId": self.chain_id, "jobLedger": to_address(self.job_ledger)}
        save_durably(path, json.dumps(value, indent=2).encode() + b"\n")
        return path

    @classmethod
    def load(cls, home: Home) -> Policy | None:
        """Reads the policy file, None where there is none. Raises MalformedPolicy."""
        path = find_policy(home)
        try:
            value = json.loads(path.read_bytes())
            chain_id, ledger = value["chainId"], parse_address(value["jobLedger"])
        except FileNotFoundError:
            return None
        except (Malformed, ValueError, TypeError, KeyError) as error:
            raise MalformedPolicy(path, f"not an auditor's policy ({error})") from None
        if type(chain_id) is not int:
            raise MalformedPolicy(path, f"expected chainId to be an integer, got {chain_id!r}")
        return cls(chain_id, ledger)


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
