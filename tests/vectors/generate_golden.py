"""Writes `golden.json`, the protocol's own vectors, for pytest and forge: `python -m tests.vectors.generate_golden`.

Layout, for readers by key path (`vm.parseJson…`). Every integer is a decimal string, every byte string 0x hex, every
address checksummed; lists are homogeneous, and lists of equal length beside each other are columns of one table.

    keys.<coordinator|node0…node4|operator|platform|requester>     .privateKey .address
    domains.<jobLedger|nodeRegistry>                      .name .version .chainId .verifyingContract .separator
    types.<Terms|Contribution|Receipt|Closing|RoundHeader|Acceptance|Registration|Voucher|Body|Opening>  .string .hash
    statements.<Terms|…|Voucher>[0 ordinary, 1 largest, 2 smallest]
                .values.<member> .structHash              and, but for Terms: .digest .signer .signature
    bodies[0…2]                .values.<member> .digest
    leaves[0…2]                .seq .node .earned .body .hash
    commitment                 .payloadSha256 .vectorCommitment .salt .commitment
    accumulator                .job .round .parent .contributions[] .accumulators[] (one more: the start comes first)
    beacon                     .accumulator .seed .seedDigest .salts[] .beacon .beaconWithoutSalts
    signatures                 .digest .signer .canonical .refused[] .reasons[] .signatureOfOther .signaturesDigest
    trees[0…5]                 (1, 2, 3, 5, 8, 200 entries) .count .depth .root .seqs[] .nodes[] .earned[] .bodies[]
                               .hashes[] (of 2^depth leaves)
                               .proofs.seqs[] .proofs.leaves[] .proofs.elements[i][] (padding included)
    pots                       columns .budgets[] .prices[] .totalScores[] .totalGains[] .pots[]
    rewards                    columns .pots[] .gains[] .totalGains[] .rewards[]
    terms                      .<member> .job of the job below
    rounds[0…3]                that job, the third round void
                .parent .pot .seed .header.<member> .headerDigest .headerSignature .closing.<member> .closingSignature
                .contributionDigests[] .nodeSignatures[] .receiptDigests[] .receiptSignatures[] .accumulators[] .salts[]
                .seqs[] .nodes[] .earned[] .bodyDigests[] .leafHashes[] .bodies.<member>[] .proofs[i][]
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ledger.commitment import Opening
from ledger.eip712 import Domain
from ledger.entry import Body
from ledger.statements import (
    Acceptance,
    Closing,
    Contribution,
    Receipt,
    Registration,
    RoundHeader,
    Signed,
    Statement,
    Terms,
    Voucher,
)
from ledger.structs import TypedStruct
from ledger.tree import Leaf, compute_leaf
from tests.vectors.golden_cases import (
    build_commitments,
    build_formulas,
    build_signatures,
    build_tree,
    show,
    show_members,
)
from tests.vectors.golden_job import (
    COORDINATOR,
    GOLDEN_NAMES,
    JOB_LEDGER,
    LEDGER_ADDRESS,
    NODE_REGISTRY,
    REGISTRY_ADDRESS,
    SIGNERS,
    PlayedRound,
    derive,
    derive_address,
    play_job,
    private_key,
)

PATH = Path(__file__).with_name("golden.json")
STATEMENTS: tuple[type[Statement], ...] = (
    Contribution,
    Receipt,
    Closing,
    RoundHeader,
    Acceptance,
    Registration,
    Voucher,
)


def draw(kind: str, label: str, size: str) -> Any:
    """A value of an atomic type: from the label, or the largest or smallest there is."""
    if kind == "address":
        return {"ordinary": derive_address(label), "largest": b"\xff" * 20, "smallest": bytes(20)}[size]
    if kind == "bytes32":
        return {"ordinary": derive(label), "largest": b"\xff" * 32, "smallest": bytes(32)}[size]
    bits = int(kind.lstrip("uint"))
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind.startswith("int") else (0, (1 << bits) - 1)
    # 40 bits at most keep ordinary values readable.
    ordinary = int.from_bytes(derive(label), "big") % (min(high, 1 << 40) + 1)
    return {"ordinary": ordinary, "largest": high, "smallest": low}[size]


def draw_struct(cls: Any, size: str) -> Any:
    return cls(*(draw(kind, f"{cls.__name__}.{name}", size) for kind, name in cls.TYPE.members))


def build_types() -> dict[str, Any]:
    classes: tuple[type[TypedStruct], ...] = (Terms, *STATEMENTS, Body, Opening)
    return {cls.TYPE.name: {"string": cls.TYPE.type_string, "hash": show(cls.TYPE.type_hash)} for cls in classes}


def build_statements() -> dict[str, Any]:
    cases: dict[str, Any] = {
        "Terms": [
            {"values": show_members(terms), "structHash": show(terms.struct_hash())}
            for terms in (draw_struct(Terms, size) for size in ("ordinary", "largest", "smallest"))
        ]
    }
    for cls in STATEMENTS:
        domain = NODE_REGISTRY if cls is Registration else JOB_LEDGER
        cases[cls.__name__] = [
            build_statement(draw_struct(cls, size), domain) for size in ("ordinary", "largest", "smallest")
        ]
    return cases


def build_statement(statement: Statement, domain: Domain) -> dict[str, Any]:
    signers = {Contribution: SIGNERS["node0"], Registration: SIGNERS["node0"], Voucher: SIGNERS["platform"]}
    signer = signers.get(type(statement), COORDINATOR)
    return {
        "values": show_members(statement),
        "structHash": show(statement.struct_hash()),
        "digest": show(statement.digest(domain)),
        "signer": show(signer.address),
        "signature": show(Signed.issue(statement, domain, signer).signature),
    }


def build_leaf(size: str) -> dict[str, Any]:
    leaf: Leaf = draw_struct(Leaf, size)
    return {**show_members(leaf), "hash": show(compute_leaf(*leaf.values()))}


def build_round(played: PlayedRound) -> dict[str, Any]:
    entries = played.tally.entries
    tree = played.tally.tree()
    bodies = [show_members(entry.body) for entry in entries]
    return {
        "parent": show(played.header.statement.parent),
        "pot": str(played.tally.pot),
        "seed": show(played.seed),
        "header": show_members(played.header.statement),
        "headerDigest": show(played.header.statement.digest(JOB_LEDGER)),
        "headerSignature": show(played.header.signature),
        "closing": show_members(played.closing.statement),
        "closingSignature": show(played.closing.signature),
        "contributionDigests": [show(signed.statement.digest(JOB_LEDGER)) for signed in played.contributions],
        "nodeSignatures": [show(signed.signature) for signed in played.contributions],
        "receiptDigests": [show(signed.statement.digest(JOB_LEDGER)) for signed in played.receipts],
        "receiptSignatures": [show(signed.signature) for signed in played.receipts],
        "accumulators": [show(signed.statement.accumulator) for signed in played.receipts],
        "salts": show([opening.salt for opening in played.openings]),
        "seqs": [str(entry.seq) for entry in entries],
        "nodes": [show(entry.node) for entry in entries],
        "earned": [str(entry.earned) for entry in entries],
        "bodyDigests": [show(entry.body.digest()) for entry in entries],
        "leafHashes": [show(entry.leaf_hash()) for entry in entries],
        "bodies": {name: [body[name] for body in bodies] for name in bodies[0]},
        "proofs": [show(tree.proof(entry.seq)) for entry in entries],
    }


def build_domain(domain: Domain, address: bytes) -> dict[str, str]:
    return {
        "name": str(domain.name),
        "version": str(domain.version),
        "chainId": str(domain.chain_id),
        "verifyingContract": show(address),
        "separator": show(domain.separator),
    }


def build() -> dict[str, Any]:
    """Returns everything the file holds."""
    terms, rounds = play_job()
    sizes = ("ordinary", "largest", "smallest")
    return {
        "keys": {
            name: {"privateKey": show(private_key(name)), "address": show(SIGNERS[name].address)}
            for name in GOLDEN_NAMES
        },
        "domains": {
            "jobLedger": build_domain(JOB_LEDGER, LEDGER_ADDRESS),
            "nodeRegistry": build_domain(NODE_REGISTRY, REGISTRY_ADDRESS),
        },
        "types": build_types(),
        "statements": build_statements(),
        "bodies": [
            {"values": show_members(body), "digest": show(body.digest())}
            for body in (draw_struct(Body, size) for size in sizes)
        ],
        "leaves": [build_leaf(size) for size in sizes],
        **build_commitments(),
        "signatures": build_signatures(),
        "trees": [build_tree(count) for count in (1, 2, 3, 5, 8, 200)],
        **build_formulas(),
        "terms": {**show_members(terms), "job": show(terms.job_id())},
        "rounds": [build_round(played) for played in rounds],
    }


def encode() -> str:
    """Returns the file's text."""
    return json.dumps(build(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    PATH.write_text(encode(), encoding="utf-8")
