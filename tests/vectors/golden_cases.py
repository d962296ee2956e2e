"""The parts of the golden vectors that belong to no job: commitments, signatures, trees, formulas."""

from __future__ import annotations

from typing import Any

from ledger.commitment import (
    compute_beacon,
    compute_commitment,
    compute_seed_digest,
    extend_accumulator,
    start_accumulator,
)
from ledger.hexadecimal import to_address, to_hex
from ledger.structs import TypedStruct
from ledger.tally import compute_pot, compute_reward, compute_signatures_digest
from ledger.tree import Leaf, PaddedTree, compute_leaf
from tests.vectors.golden_job import SIGNERS, derive, derive_address

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def show(value: object) -> Any:
    """Returns a value as the file holds it."""
    if isinstance(value, bytes):
        return to_address(value) if len(value) == 20 else to_hex(value)
    return [show(item) for item in value] if isinstance(value, (list, tuple)) else str(value)


def show_members(struct: TypedStruct) -> dict[str, Any]:
    return {name: show(value) for (_, name), value in zip(struct.TYPE.members, struct.values(), strict=True)}


def build_commitments() -> dict[str, Any]:
    payload, vector, salt = derive("payload"), bytes(32), derive("salt")
    job, parent = derive("job"), derive("parent")
    contributions = [derive(f"contribution {seq}") for seq in range(5)]
    accumulators = [start_accumulator(job, 7, parent)]
    for contribution in contributions:
        accumulators.append(extend_accumulator(accumulators[-1], contribution))
    seed, salts = derive("seed"), [derive(f"salt {seq}") for seq in range(4)]
    return {
        "commitment": {
            "payloadSha256": show(payload),
            "vectorCommitment": show(vector),
            "salt": show(salt),
            "commitment": show(compute_commitment(payload, vector, salt)),
        },
        "accumulator": {
            "job": show(job),
            "round": "7",
            "parent": show(parent),
            "contributions": show(contributions),
            "accumulators": show(accumulators),
        },
        "beacon": {
            "accumulator": show(accumulators[-1]),
            "seed": show(seed),
            "seedDigest": show(compute_seed_digest(seed)),
            "salts": show(salts),
            "beacon": show(compute_beacon(accumulators[-1], seed, salts)),
            "beaconWithoutSalts": show(compute_beacon(accumulators[-1], seed, [])),
        },
    }


def build_signatures() -> dict[str, Any]:
    digest = derive("signed digest")
    signer = SIGNERS["node1"]
    signature, other = signer.sign(digest), SIGNERS["node2"].sign(digest)
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    low = signature[32:64]
    refused = {
        "64 bytes": signature[:64],
        "66 bytes": signature + b"\x00",
        "v 0 or 1": signature[:64] + bytes((v - 27,)),
        "v of EIP-155": signature[:64] + bytes((v + 10,)),
        "high s": r + (ORDER - s).to_bytes(32, "big") + bytes((55 - v,)),
        "s 0": r + bytes(32) + bytes((v,)),
        "r 0": bytes(32) + low + bytes((v,)),
        "r of the order": ORDER.to_bytes(32, "big") + low + bytes((v,)),
        "r of no point": (5).to_bytes(32, "big") + low + bytes((v,)),
    }
    return {
        "digest": show(digest),
        "signer": show(signer.address),
        "canonical": show(signature),
        "refused": [show(bad) for bad in refused.values()],
        "reasons": list(refused),
        "signatureOfOther": show(other),
        "signaturesDigest": show(compute_signatures_digest(signature, other)),
    }


def build_tree(count: int) -> dict[str, Any]:
    leaves = [Leaf(seq, derive_address(f"node {seq}"), seq * 10**15, derive(f"body {seq}")) for seq in range(count)]
    tree = PaddedTree(leaves)
    size = 1 << tree.depth
    proven = sorted({0, 1 % size, count // 2, count - 1, count % size, size - 1})
    hashes = [leaf.hash() for leaf in leaves]
    hashes += [compute_leaf(seq, bytes(20), 0, bytes(32)) for seq in range(count, size)]
    return {
        "count": str(count),
        "depth": str(tree.depth),
        "root": show(tree.root),
        "seqs": [str(leaf.seq) for leaf in leaves],
        "nodes": [show(leaf.node) for leaf in leaves],
        "earned": [str(leaf.earned) for leaf in leaves],
        "bodies": [show(leaf.body) for leaf in leaves],
        "hashes": show(hashes),
        "proofs": {
            "seqs": [str(seq) for seq in proven],
            "leaves": [show(hashes[seq]) for seq in proven],
            "elements": [show(tree.proof(seq)) for seq in proven],
        },
    }


def build_formulas() -> dict[str, Any]:
    most = (1 << 128) - 1
    pots = [
        (10**18, 10**18, 1 << 40, 1 << 40),
        (10**18, 10**18, (1 << 39) + 1, 1 << 40),
        (10**18, 10**18, 1 << 40, (1 << 39) + 1),
        (10**18, 10**18, 3 << 40, 3 << 40),
        (10**18, 10**18, 1 << 40, 0),
        (10**18, 10**18, 0, 7),
        (10**18, 10**18, -5, 7),
        (10**18, 1, 1, 1),
        (most, most, (1 << 127) - 1, most),
        (most, 0, 1 << 40, 1 << 40),
    ]
    rewards = [(10, 1, 3), (10, 0, 3), (0, 1, 1), (most, most, most), (10**18, 7, 9), (5, 0, 0)]
    return {
        "pots": {
            "budgets": [str(budget) for budget, _, _, _ in pots],
            "prices": [str(price) for _, price, _, _ in pots],
            "totalScores": [str(score) for _, _, score, _ in pots],
            "totalGains": [str(gain) for _, _, _, gain in pots],
            "pots": [str(compute_pot(*case)) for case in pots],
        },
        "rewards": {
            "pots": [str(pot) for pot, _, _ in rewards],
            "gains": [str(gain) for _, gain, _ in rewards],
            "totalGains": [str(total) for _, _, total in rewards],
            "rewards": [str(compute_reward(*case)) for case in rewards],
        },
    }
