"""Storage proofs of a real chain say what the ledger answers; what does not fit the block is refused."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from contracts.artifacts import load_artifact
from contracts.gateway import Gateway
from contracts.proofs import ProofRefused, StorageProof, fetch_proof
from contracts.storage import compute_account, load_storage
from ledger.block import Account, BlockHead
from ledger.hashing import keccak256
from ledger.trie import MalformedProof, TrieProof
from tests.chain.fixtures import TestChain
from tests.chain.life import NAT, JobLife, Parties, begin, name_node

NODES = [name_node(number) for number in range(3)]


@pytest.fixture
def life(dev_chain: TestChain, gateway: Gateway, parties: Parties) -> JobLife:
    """Two rounds posted, the first claimed by all."""
    life = begin(gateway, parties)
    for node in NODES:
        life.coordinator.sender.execute(life.register(node, node.address))
    posted = life.post({node.address: NAT // 40 for node in NODES})
    dev_chain.move_clock(posted.final_at)
    life.requester.sender.execute(life.claim_all(1, posted.anchor))
    life.post({node.address: NAT // 40 * (number - 1) for number, node in enumerate(NODES)})
    return life


def read(proof: StorageProof, gateway: Gateway, slots: Sequence[bytes]) -> list[int]:
    head = gateway.fetch_head()
    nodes = TrieProof(proof.nodes)
    account = Account.find(BlockHead.read(proof.header, head.hash), gateway.deployment.job_ledger, nodes)
    assert account.code_hash == gateway.deployment.code_hashes["JobLedger"]
    words = [account.read_slot(slot, nodes) for slot in slots]
    nodes.verify_used()
    return words


def test_proven_slots_say_what_the_ledger_answers(gateway: Gateway, life: JobLife) -> None:
    storage, head, ledger = load_storage(), gateway.fetch_head(), gateway.deployment.job_ledger
    slots = storage.find_job(life.job)
    words = read(fetch_proof(gateway, head, ledger, slots), gateway, slots)
    job = storage.read_job(words)
    assert job == gateway.fetch_job(life.job)
    rewards = []
    for number in (1, 2):
        slots = storage.find_round(life.job, number)
        kept = storage.read_round(read(fetch_proof(gateway, head, ledger, slots), gateway, slots))
        assert kept is not None
        assert kept == gateway.fetch_round(life.job, number)
        rewards.append(kept.rewards)
    assert job is not None
    assert compute_account(job, rewards) == gateway.fetch_account(life.job)
    for node in (*(node.address for node in NODES), bytes([9]) * 20):
        slots = storage.find_drawn(life.job, node)
        words = read(fetch_proof(gateway, head, ledger, slots), gateway, slots)
        assert storage.read_drawn(words) == gateway.fetch_claimed(life.job, node)


def test_what_was_never_opened_or_posted_is_none(gateway: Gateway, life: JobLife) -> None:
    storage, head, ledger = load_storage(), gateway.fetch_head(), gateway.deployment.job_ledger
    job, later = storage.find_job(bytes(32)), storage.find_round(life.job, 3)
    words = read(fetch_proof(gateway, head, ledger, [*job, *later]), gateway, [*job, *later])
    assert storage.read_job(words[: len(job)]) is None
    assert storage.read_round(words[len(job) :]) is None


def test_many_slots_are_asked_for_in_pieces(gateway: Gateway, life: JobLife) -> None:
    slots = [slot for number in range(1, 151) for slot in load_storage().find_round(life.job, number)]
    proof = fetch_proof(gateway, gateway.fetch_head(), gateway.deployment.job_ledger, slots)
    assert sum(map(bool, read(proof, gateway, slots))) == 2 * 2


def test_proof_that_does_not_fit_the_block_is_refused(gateway: Gateway, life: JobLife) -> None:
    head = gateway.fetch_head()
    slots = load_storage().find_job(life.job)
    with pytest.raises(ProofRefused, match="another block"):
        fetch_proof(gateway, replace(head, hash=bytes(32)), gateway.deployment.job_ledger, slots)
    with pytest.raises(ProofRefused, match="no account"):
        fetch_proof(gateway, head, bytes([7]) * 20, slots)


def test_any_altered_node_or_header_is_refused(gateway: Gateway, life: JobLife) -> None:
    slots = load_storage().find_job(life.job)
    proof = fetch_proof(gateway, gateway.fetch_head(), gateway.deployment.job_ledger, slots)
    for at, node in enumerate(proof.nodes):
        changed = bytes([node[0], node[1] ^ 1]) + node[2:]
        with pytest.raises(MalformedProof):
            read(replace(proof, nodes=(*proof.nodes[:at], changed, *proof.nodes[at + 1 :])), gateway, slots)


def test_code_in_the_state_is_that_of_our_build(gateway: Gateway, life: JobLife) -> None:
    assert life.job
    code = gateway.fetch_code(gateway.deployment.job_ledger)
    assert load_artifact("JobLedger").is_code(code)
    assert keccak256(code) == gateway.deployment.code_hashes["JobLedger"]
