"""What a coordinator said of itself at first contact: chain, contracts, token, its key. Later it must say the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from client.errors import ClientError
from client.home import save_durably
from ledger.eip712 import Domain, compute_domain
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import parse_address, to_address
from ledger.wire import Info

PROTOCOL = 1


class MalformedPins(ClientError):
    """The pin file was changed by something else."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}; restore it from a backup, or remove it to pin coordinators anew")


@dataclass(frozen=True, slots=True)
class Pin:
    """One deployment and the coordinator that works with it; addresses are 20 bytes."""

    chain_id: int
    job_ledger: bytes
    node_registry: bytes
    token: bytes
    coordinator: bytes

    @classmethod
    def of(cls, info: Info) -> Pin:
        """What a coordinator's description pins. Raises VerificationError when it speaks another protocol version."""
        if info.protocol != PROTOCOL:
            detail = "the coordinator speaks another version of the protocol: update one of the two"
            raise VerificationError("protocol", detail, PROTOCOL, info.protocol)
        return cls(info.chain_id, info.job_ledger, info.node_registry, info.token, info.coordinator)

    @property
    def domain(self) -> Domain:
        """EIP-712 domain of every statement but registrations."""
        return compute_domain(self.chain_id, self.job_ledger)

    @property
    def registry_domain(self) -> Domain:
        """EIP-712 domain of registrations."""
        return compute_domain(self.chain_id, self.node_registry)

    def to_json(self) -> dict[str, int | str]:
        """The pin as the file keeps it."""
        return {
            "chainId": self.chain_id,
            "jobLedger": to_address(self.job_ledger),
            "nodeRegistry": to_address(self.node_registry),
            "token": to_address(self.token),
            "coordinator": to_address(self.coordinator),
        }

    @classmethod
    def from_json(cls, value: object) -> Pin:
        """Raises ValueError when it is no pin."""
        names = ("jobLedger", "nodeRegistry", "token", "coordinator")
        if not isinstance(value, dict) or set(value) != {"chainId", *names} or type(value["chainId"]) is not int:
            raise ValueError("not a pin")
        return cls(value["chainId"], *(parse_address(value[name]) for name in names))


def verify_or_save(path: Path, url: str, pin: Pin) -> bool:
    """Compares with the pin of this address, or saves it when there is none; returns whether it is new.

    Raises:
        VerificationError: the coordinator now names another chain, contract, token or key than it did at first.
        MalformedPins: the file is none of ours.
    """
    pins = load_pins(path)
    if url not in pins:
        listed = {address: known.to_json() for address, known in {**pins, url: pin}.items()}
        save_durably(path, json.dumps(listed, indent=2).encode() + b"\n")
        return True
    expected, got = pins[url].to_json(), pin.to_json()
    for name, value in expected.items():
        if got[name] != value:
            detail = (
                f"{url} was pinned with another {name} in {path}; nothing was sent. If its operator announced "
                "the change, remove that entry; if not, somebody else answers there"
            )
            raise VerificationError("pin", detail, value, got[name])
    return False


def load_pins(path: Path) -> dict[str, Pin]:
    """Every pin by the coordinator's address; empty when there is no file. Raises MalformedPins."""
    try:
        listed = json.loads(path.read_bytes())
        if not isinstance(listed, dict):
            raise MalformedPins(path, "expected an object")
        return {url: Pin.from_json(value) for url, value in listed.items()}
    except FileNotFoundError:
        return {}
    except (Malformed, ValueError) as error:
        raise MalformedPins(path, f"not a list of pins ({error})") from None
