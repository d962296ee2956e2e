"""Digests, signatures, trees and the audit of a round's receipts, beside eth-account, multiproof and OpenZeppelin."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import overload

from bench.environments import ROOT, PeerProcess, ask, node_environment, python_environment, started
from bench.figures import BYTES, PER_SECOND, SECONDS, Missing, at_least, at_most, times_better
from bench.measure import Measurement, alternate, clocked, compare
from bench.receipt_material import EncodedStatement, PlayedRound, draw_leaves, write_leaves
from bench.report import Report
from client.auditor import Sources, audit
from client.auditor.scope import Scope
from ledger.signatures import verify_signature
from ledger.tree import PaddedTree, lay_out
from tests.simulated.sources import make_sources

ETHEREUM, OPENZEPPELIN, MULTIPROOF = "eth-account", "@openzeppelin/merkle-tree", "multiproof"
KECCAK = "one keccak256 call and one joining of bytes a hash, in the interpreter"
RECOVERY = "libsecp256k1's recovery of a key: two a receipt"


def run(report: Report) -> None:
    """Measure everything; a peer that cannot run is said in its place."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tally-bench-")))
        ethereum = stack.enter_context(started(python_environment, "ethereum", "ethereum.py", report))
        openzeppelin = stack.enter_context(started(node_environment, "openzeppelin", "openzeppelin.mjs", report))
        bench = _Receipts(report, folder, ethereum, openzeppelin)
        bench.measure_statement()
        bench.measure_trees()
        bench.measure_audit()
        bench.measure_memory()
    report.note("KZG commitments and BLS signatures are not built yet: no figure.")


class _Receipts:
    def __init__(
        self, report: Report, folder: Path, ethereum: PeerProcess | Missing, openzeppelin: PeerProcess | Missing
    ) -> None:
        self.report, self.folder = report, folder
        self.ethereum, self.openzeppelin = ethereum, openzeppelin
        self.random = Random(20)
        self.turns = 3 if report.quick else 9

    def measure_statement(self) -> None:
        """The digest of eleven members, and digest and recovery together."""
        statement = EncodedStatement.draw(self.random)
        digest, signature = statement.digest(), statement.signer.sign(statement.digest())
        self._prepare(self.ethereum, statement.describe())
        ours, theirs = compare(
            clocked(statement.digest, 5_000, time.process_time),
            {ETHEREUM: ask(self.ethereum, "digest", times=100)},
            self.turns,
        )
        how = f"seconds of a core, median of {self.turns} turns of 5,000 and 100 calls"
        self.report.add(
            "EIP-712 digest of an 11-member statement", SECONDS, ours, peers=theirs, bar=at_most(5e-6), how=how,
            bound="packing and two keccak256 calls",
        )  # fmt: skip
        assert statement.digest() == digest

        def verify() -> None:
            verify_signature(statement.digest(), signature, statement.signer.address)

        ours, theirs = compare(
            _rate(clocked(verify, 500, time.process_time)),
            {ETHEREUM: _rate(ask(self.ethereum, "verify", times=50))},
            self.turns,
        )
        how = f"digest and recovery, seconds of one core, median of {self.turns} turns of 500 and 50"
        self.report.add(
            "signed statements verified", PER_SECOND, ours, peers=theirs, bar=at_least(12_000), how=how,
            bound="libsecp256k1's recovery of a key",
        )  # fmt: skip

    def measure_trees(self) -> None:
        """A tree of four-field leaves beside two others, and one of a million leaf hashes."""
        count = 2_000 if self.report.quick else 20_000
        leaves = draw_leaves(1 << (count - 1).bit_length(), self.random)[:count]
        size = 1 << (count - 1).bit_length()
        # The peers pad nothing: they get the same 2^d leaves that ours ends with.
        tree = PaddedTree(leaves)
        padded = [
            *write_leaves(leaves),
            *([str(seq), "0x" + "0" * 40, "0", "0x" + "0" * 64] for seq in range(count, size)),
        ]
        for peer in (self.ethereum, self.openzeppelin):
            self._prepare(peer, {"leaves": padded})
        turns = 1 if self.report.quick else 3
        self.report.say(f"trees of {count} leaves by the peers, {turns + 1} each")
        ours, theirs = compare(
            clocked(lambda: PaddedTree(leaves), clock=time.process_time),
            {OPENZEPPELIN: _tree(self.openzeppelin, tree.root), MULTIPROOF: _tree(self.ethereum, tree.root)},
            turns,
        )
        self.report.add(
            f"tree of {count:,} four-field leaves", SECONDS, ours, peers=theirs, bar=times_better(50), bound=KECCAK,
            how=f"seconds of a core, padded to {size:,} for all, same roots, median of {turns} turns",
        )  # fmt: skip
        count = 1 << (16 if self.report.quick else 20)
        hashes = [self.random.randbytes(32) for _ in range(count)]
        self.report.say(f"tree of {count} leaf hashes")
        seconds = alternate({"ours": clocked(lambda: lay_out(hashes), clock=time.process_time)}, turns)["ours"]
        self.report.add(
            f"tree of {count:,} leaf hashes",
            SECONDS,
            seconds,
            bar=at_most(5),
            bound=KECCAK,
            how=f"seconds of a core, median of {turns}",
        )

    def measure_audit(self) -> None:
        """Every check of a round but the model's, from the files' bytes to the results."""
        for count in (200,) if self.report.quick else (1_000, 10_000):
            self.report.say(f"playing a round of {count} contributions")
            played = PlayedRound.play(count)
            folder = self.folder / str(count)
            folder.mkdir()
            played.write(folder)
            self.report.say(f"auditing {count} receipts by turns")
            ours, theirs = compare(
                _rate(clocked(partial(_audit, played, make_sources(played.job)), 1, time.process_time), count),
                {f"{ETHEREUM} + {MULTIPROOF}": _rate(ask(self.ethereum, "audit", folder=str(folder)), count)},
                self.turns if count <= 1_000 else 1,
            )
            self.report.add(
                f"receipts audited, round of {count:,}", PER_SECOND, ours, peers=theirs,
                bar=at_least(5_000), bound=RECOVERY,
                how="`tally audit` from bytes to report but the model's checks; seconds of a core; peers stop at a lie",
            )  # fmt: skip

    def measure_memory(self) -> None:
        """The largest size of a process that audits one round, and of one that audits two more like it."""
        count = 200 if self.report.quick else 10_000
        folder = str(self.folder / "job")
        self.report.say(f"playing 3 rounds of {count} contributions")
        _run_memory("play", folder, str(count), "3")
        sizes = {}
        for last in ("1", "3"):
            self.report.say(f"memory of auditing {last} x {count} contributions")
            sizes[last] = int(_run_memory("audit", folder, last))
        how = f"rounds of {count:,} from disk, largest size of the process less that before"
        self.report.add("memory of an audit of 1 round", BYTES, sizes["1"], how=how)
        self.report.add(
            "memory of an audit of 3 rounds", BYTES, sizes["3"], bar=at_most(1.25 * sizes["1"]), how=how,
            bound="what each node carries on and has earned in every round, kept to judge claims",
        )  # fmt: skip

    def _prepare(self, peer: PeerProcess | Missing, material: object) -> None:
        if isinstance(peer, PeerProcess):
            path = self.folder / "material.json"
            path.write_text(json.dumps(material), encoding="utf-8")
            peer.call("prepare", path=str(path))


def _audit(played: PlayedRound, sources: Sources) -> None:
    report = audit(played.job.id, sources, Scope(recompute=False))
    assert report.exit_code == 0, report


def _tree(peer: PeerProcess | Missing, root: bytes) -> Measurement | Missing:
    """A peer's seconds for the tree; it must be the same tree."""
    if isinstance(peer, Missing):
        return peer

    def measure() -> float:
        seconds, theirs = peer.call("tree")
        assert theirs == "0x" + root.hex(), (theirs, root.hex())
        return float(seconds)

    return measure


def _run_memory(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.audit_memory", *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout


@overload
def _rate(seconds: Measurement, items: int = 1) -> Measurement: ...


@overload
def _rate(seconds: Measurement | Missing, items: int = 1) -> Measurement | Missing: ...


def _rate(seconds: Measurement | Missing, items: int = 1) -> Measurement | Missing:
    """Items a second from seconds, or why there is none."""
    return seconds if isinstance(seconds, Missing) else lambda: items / seconds()
