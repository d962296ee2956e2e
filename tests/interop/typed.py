"""The statements as the protocol prints them, with values for the tests: written out here, not asked of our encoder."""

import random
import re
from dataclasses import dataclass
from typing import Any

from ledger.hexadecimal import to_address, to_hex

PROTOCOL = """
Terms(bytes32 specDigest,address requester,address coordinator,address token,uint64 rounds,uint128 budgetPerRound,
    uint128 pricePerNat,uint64 window,uint64 anchorSeconds,uint128 bond,uint128 minStake,bytes32 witnesses,
    uint32 threshold,uint64 nonce)
Contribution(bytes32 job,uint64 round,address node,bytes32 parent,bytes32 baseModel,bytes32 commitment,
    uint64 samples,bytes32 report)
Receipt(bytes32 job,uint64 round,uint64 seq,address node,bytes32 contribution,bytes32 accumulator,
    uint64 receivedAt,uint64 anchorBy)
Closing(bytes32 job,uint64 round,uint64 count,bytes32 accumulator,uint64 closedAt,bytes32 seedDigest)
RoundHeader(bytes32 job,uint64 round,bytes32 parent,bytes32 baseModel,bytes32 nextModel,bytes32 entriesRoot,
    bytes32 accumulator,uint64 count,uint64 totalWeight,int128 totalScore,uint128 totalGain,uint128 totalReward,
    bytes32 aggregate,bytes32 evidence,bytes32 beacon,uint64 openedAt,uint64 closedAt)
Acceptance(bytes32 job,uint64 deadline)
Registration(address node,address operator,address payout,uint64 deadline)
Voucher(bytes32 job,uint64 round,address node,uint64 viewers,uint64 samples)
"""
TYPES: dict[str, str] = dict(re.findall(r"(\w+)\(([^)]*)\)", PROTOCOL))


@dataclass(frozen=True)
class Case:
    """One statement: `members` as (type, name), `values` by camelCase name, as Python holds them."""

    name: str
    members: tuple[tuple[str, str], ...]
    values: dict[str, Any]

    @property
    def types(self) -> dict[str, list[dict[str, str]]]:
        """The `types` of EIP-712 JSON, without the domain's."""
        return {self.name: [{"type": kind, "name": name} for kind, name in self.members]}

    @property
    def message(self) -> dict[str, str]:
        """The values as other tools read them: hex, addresses, decimal strings."""
        return {name: show(kind, self.values[name]) for kind, name in self.members}


def show(kind: str, value: Any) -> str:
    if kind == "address":
        return to_address(value)
    return to_hex(value) if kind.startswith("bytes") else str(value)


def draw(kind: str, noise: random.Random, extreme: bool) -> Any:
    """A value of an atomic type: any, or the one of largest size."""
    if kind == "address":
        return noise.randbytes(20)
    if kind == "bytes32":
        return noise.randbytes(32)
    signed, bits = kind.startswith("int"), int(kind.lstrip("uint"))
    if signed:
        return -(2 ** (bits - 1)) if extreme else noise.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1))
    largest = 2**53 - 1 if bits == 64 else 2**bits - 1
    return largest if extreme else noise.randrange(largest)


def draw_case(name: str, seed: int, *, extreme: bool) -> Case:
    """A statement with reproducible values."""
    members = tuple((kind, member) for kind, member in (part.split() for part in TYPES[name].split(",")))
    noise = random.Random(f"{name} {seed}")
    return Case(name, members, {member: draw(kind, noise, extreme) for kind, member in members})


def to_snake(name: str) -> str:
    """The Python field that a member is."""
    return re.sub(r"([A-Z])", lambda match: "_" + match.group(1).lower(), name)
