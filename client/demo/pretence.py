"""What became of the demo's dishonest nodes: what each sent, what was made of it, and what it earned.

What was copied from whom is looked up in the evidence, as any auditor could who signs in.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from client import calls
from client.api import Api
from client.identity import Identity
from ledger.entry import Entry, Verdict
from ledger.evidence import OPENINGS, decode_openings
from ledger.hexadecimal import to_address
from ledger.signatures import Signer
from ledger.verdicts import MEANINGS

Digests = Sequence[Mapping[bytes, bytes]]
"""By round, from the first on: each node's payload, by its SHA-256."""

COPYING = "recycled"
"""The name of `--update` for whoever sends another node's update of the round before."""


@dataclass(frozen=True, slots=True)
class Pretence:
    """One dishonest node.

    Attributes:
        told: what it sent and what became of it, a line for each kind of thing it sent.
        copies: in how many rounds it sent what another node had sent before.
        refused: how many of those were refused.
        score: of the whole job, in 2⁻⁴⁰ nats.
        earned: in base units.
    """

    name: str
    node: bytes
    told: Sequence[str]
    copies: int
    refused: int
    score: int
    earned: int


def read_payloads(api: Api, chain_id: int, job: bytes, rounds: Sequence[Sequence[Entry]]) -> Digests:
    """Everyone's payload digests, from the openings of each round; `rounds` are the entries of each."""
    # Evidence is for whoever signs in, with whatever key.
    auditor = Identity(api, Signer(secrets.token_bytes(32)), chain_id)
    digests = []
    for number, entries in enumerate(rounds, start=1):
        openings = decode_openings(auditor.fetch(calls.evidence(job, number, OPENINGS)))
        pairs = zip(entries, openings, strict=True)
        digests.append({entry.node: opening.payload_sha256 for entry, opening in pairs if opening is not None})
    return digests


def tell_pretence(name: str, update: str, node: bytes, rounds: Sequence[Sequence[Entry]], digests: Digests) -> Pretence:
    """One node's job, from the entries and payload digests of each round; `update` names what it was started with."""
    own = {number: entry for number, entries in enumerate(rounds, start=1) for entry in entries if entry.node == node}
    verdicts = {number: Verdict(entry.body.verdict) for number, entry in own.items()}
    origins = _find_origins(node, digests) if update == COPYING else {}
    idle = [verdict for number, verdict in verdicts.items() if number not in origins]
    copied = [verdict for number, verdict in verdicts.items() if number in origins]
    told = [f"sent zeros: {_describe(idle)}"] if idle else []
    if copied:
        number, (earlier, origin) = max(origins.items())
        told.append(f"copied, in round {number} an update of round {earlier} by {shorten(origin)}: {_describe(copied)}")
    return Pretence(
        name=name,
        node=node,
        told=told,
        copies=len(copied),
        refused=sum(verdict is not Verdict.ACCEPTED for verdict in copied),
        score=sum(entry.body.score for entry in own.values()),
        earned=own[max(own)].earned if own else 0,
    )


def shorten(node: bytes) -> str:
    """An address as the tables show it."""
    address = to_address(node)
    return f"{address[:8]}…{address[-4:]}"


def _describe(verdicts: Sequence[Verdict]) -> str:
    """How often accepted, how often refused for which reason."""
    words = []
    for verdict, times in sorted(Counter(verdicts).items()):
        often = f"{times} of {len(verdicts)}"
        accepted = verdict is Verdict.ACCEPTED
        words.append(f"accepted {often}" if accepted else f"refused {often} ({MEANINGS[verdict]})")
    return ", ".join(words)


def _find_origins(node: bytes, digests: Digests) -> Mapping[int, tuple[int, bytes]]:
    """For each round in which `node` sent what others had sent before: the round and the node that sent it first."""
    first: dict[bytes, tuple[int, bytes]] = {}
    origins = {}
    for number, known in enumerate(digests, start=1):
        earlier = first.get(known.get(node, b""))
        if earlier is not None and earlier[1] != node:
            origins[number] = earlier
        for other, digest in known.items():
            first.setdefault(digest, (number, other))
    return origins
