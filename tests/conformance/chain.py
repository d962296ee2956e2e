"""A chain that never was: the ledger's storage of one job in a whole state, with a block whose hash proves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import rlp

from client.auditor.evidence.bundle import CHAIN, PROOF
from client.auditor.evidence.said import SaidChain, encode_proof
from client.money import Token
from contracts.proofs import StorageProof
from contracts.storage import Structs, load_storage
from ledger.eip712 import Domain
from ledger.hashing import keccak256
from ledger.statements import RoundHeader, Terms
from ledger.verify.chain import compute_anchor
from tests.simulated.terms import CHAIN_ID, JOB_LEDGER
from tests.simulated.trie import Trie

CODE = b"what stands for the ledger's code in the conformance bundles"
CODE_HASH = keccak256(CODE)
BLOCK = 4_321
POST_SECONDS = 40


@dataclass
class ChainDraft:
    """What the chain of a bundle holds, free to be changed.

    Attributes:
        job: the job's id.
        state: members of the ledger's `Job`.
        rounds: members of the ledger's `Round`, from round 1.
        drawn: what each node has drawn (base units).
        final_at: what `chain.json` says of each round (unix seconds).
        timestamp: of the block (unix seconds).
        account_code: the code whose hash the account has.
        said: members of `chain.json` that say something else than the chain.
    """

    job: bytes
    state: dict[str, int]
    rounds: list[dict[str, int]]
    drawn: dict[bytes, int]
    final_at: list[int]
    timestamp: int
    account_code: bytes = CODE
    claimants: list[bytes] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)

    def prove(self) -> tuple[dict[str, bytes], bytes]:
        """The bundle's files of the chain, and the block's hash."""
        slots = self._fill()
        storage = Trie.build_secure({key: rlp.encode(_strip(word)) for key, word in slots.items() if word})
        account = rlp.encode([b"\x01", b"", storage.root, keccak256(self.account_code)])
        strangers = {number.to_bytes(20): rlp.encode([b"\x01", b"\x07", bytes(32), bytes(32)]) for number in range(40)}
        state = Trie.build_secure({JOB_LEDGER: account, **strangers})
        header = self._head(state.root)
        nodes = {node for key in self._list_asked() for node in storage.prove(keccak256(key))}
        nodes |= set(state.prove(keccak256(JOB_LEDGER)))
        proof = encode_proof(StorageProof(header, tuple(sorted(nodes))), CODE)
        return {CHAIN: self._say(keccak256(header)), PROOF: proof}, keccak256(header)

    def _list_asked(self) -> list[bytes]:
        storage = load_storage()
        asked = storage.find_job(self.job)
        for number in range(1, len(self.rounds) + 1):
            asked += storage.find_round(self.job, number)
        for node in self.claimants:
            asked += storage.find_drawn(self.job, node)
        return asked

    def _fill(self) -> dict[bytes, int]:
        storage = load_storage()
        slots = {keccak256(b"stranger %d" % number): number + 1 for number in range(30)}
        slots |= _write(storage.jobs, storage.find_job(self.job), self.state)
        for number, members in enumerate(self.rounds, start=1):
            slots |= _write(storage.rounds, storage.find_round(self.job, number), members)
        for node, amount in self.drawn.items():
            slots |= _write(storage.drawn, storage.find_drawn(self.job, node), {"earned": amount})
        return slots

    def _head(self, state_root: bytes) -> bytes:
        root, number, timestamp = bytes(32), _strip(BLOCK), _strip(self.timestamp)
        items = [root, root, bytes(20), state_root, root, root, bytes(256), b"", number, b"\x01", b"", timestamp]
        encoded: bytes = rlp.encode([*items, b"", root, bytes(8), b"\x07"])
        return encoded

    def _say(self, block_hash: bytes) -> bytes:
        values: dict[str, Any] = {
            "chain_id": CHAIN_ID,
            "job_ledger": JOB_LEDGER,
            "block": BLOCK,
            "block_hash": block_hash,
            "final_at": tuple(self.final_at),
            "blocks": tuple(BLOCK - 100 + number for number in range(len(self.rounds))),
            "claimants": tuple(self.claimants),
            "token": Token(18, "TALLY"),
        }
        return SaidChain(**(values | self.said)).to_bytes()


def settle(terms: Terms, domain: Domain, headers: Sequence[RoundHeader], drawn: Mapping[bytes, int]) -> ChainDraft:
    """The chain once these rounds are posted and final, and nodes have drawn this out of the first."""
    final_at = [header.closed_at + POST_SECONDS + terms.window for header in headers]
    rounds, rewards, token = [], 0, int.from_bytes(terms.token, "big")
    for header, at in zip(headers, final_at, strict=True):
        rewards += header.total_reward
        word = compute_anchor(header.digest(domain), header.entries_root, header.count, at)
        rounds.append({"anchor": int.from_bytes(word, "big"), "token": token, "rewards": rewards, "attestBy": 0})
    state = {
        "paid": sum(drawn.values()),
        "claimable": headers[0].total_reward,
        "finality": 1,
        "coordinator": int.from_bytes(terms.coordinator, "big"),
        "posted": len(headers),
        "windowEnd": final_at[-1],
        "token": token,
        "window": terms.window,
        "rounds": terms.rounds,
        "lastHeader": int.from_bytes(headers[-1].digest(domain), "big"),
        "budgetPerRound": terms.budget_per_round,
        "bond": terms.bond,
        "requester": int.from_bytes(terms.requester, "big"),
        "anchorSeconds": terms.anchor_seconds,
    }
    timestamp, job = final_at[-1] + 1_000, terms.job_id()
    return ChainDraft(job, state, rounds, dict(drawn), final_at, timestamp, claimants=sorted(drawn))


def _write(structs: Structs, keys: list[bytes], members: Mapping[str, int]) -> dict[bytes, int]:
    words = [0] * len(keys)
    for name, value in members.items():
        slot, offset, width = structs.members[name]
        assert 0 <= value < 1 << 8 * width, name
        words[slot] |= value << 8 * offset
    return dict(zip(keys, words, strict=True))


def _strip(number: int) -> bytes:
    return number.to_bytes(32).lstrip(b"\0")
