"""Reads a job from a chain together with its proof, for a bundle: both as of one block, though the chain goes on.

Many providers prove the newest block only. So the slots are learned first, then proven at what is the newest block by
then, and what the chain says is read again at that one; a round posted or claimed from in between starts it over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from client.auditor.evidence.chain import LedgerChain
from client.auditor.evidence.said import encode_proof
from client.auditor.evidence.sources import ChainFacts, NoSuchJob
from contracts.gateway import Gateway
from contracts.proofs import ProofRefused, fetch_proof
from contracts.state import Block
from contracts.storage import load_storage

ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True)
class ReadChain:
    """What a chain says of a job at a block; `proof` is `chain/proof.json`, None where none was wanted."""

    facts: ChainFacts
    block: Block
    proof: bytes | None


def read_chain(job: bytes, gateway: Gateway, choose_block: Callable[[Gateway], Block], *, prove: bool) -> ReadChain:
    """Reads a job at the block that is chosen, anew at each attempt.

    Raises:
        NoSuchJob: the ledger never opened it.
        ProofRefused: no proof fits the block's hash, or the chain changed faster than it could be read.
        ChainError: the chain could not be read.
    """
    ledger = LedgerChain(gateway)
    refusal = ProofRefused(0, "the job changed with every block")
    for _ in range(ATTEMPTS):
        block = choose_block(gateway)
        facts = ledger.read_job_at(job, block)
        if facts.kept is None:
            raise NoSuchJob(job, facts)
        if not prove:
            return ReadChain(facts, block, None)
        try:
            found = _prove(job, gateway, ledger, facts, choose_block(gateway))
        except ProofRefused as error:
            refusal = error
            if choose_block(gateway) == block:
                break
            continue
        if found is not None:
            return found
    raise refusal


def list_slots(job: bytes, facts: ChainFacts) -> list[bytes]:
    """The storage slots that an audit of the job reads: its own, its rounds', those of everyone who has claimed."""
    storage = load_storage()
    slots = storage.find_job(job)
    for number in range(1, len(facts.rounds) + 1):
        slots += storage.find_round(job, number)
    for node in sorted(facts.claimed):
        slots += storage.find_drawn(job, node)
    return slots


def _prove(job: bytes, gateway: Gateway, ledger: LedgerChain, facts: ChainFacts, block: Block) -> ReadChain | None:
    """The proof at a block, and the facts of that block; None where it takes other slots than those before."""
    address = gateway.deployment.job_ledger
    slots = list_slots(job, facts)
    proof = fetch_proof(gateway, block, address, slots)
    facts = ledger.read_job_at(job, block)
    if list_slots(job, facts) != slots:
        return None
    return ReadChain(facts, block, encode_proof(proof, gateway.fetch_code(address)))
