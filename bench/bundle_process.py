"""A process of its own for measuring offline audits.

`play FILE COUNT ROUNDS` writes a bundle in which every node has claimed and prints its block's hash; `verify FILE HASH`
verifies it and prints seconds of a core, and by how many bytes the process grew at most.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import psutil

from client.auditor import Sources, audit
from client.auditor.evidence.archive import write_archive
from client.auditor.evidence.bundle import ACCEPTANCE, INDEX, SPEC, TERMS, Bundle, BundleEvidence, Index, name_round
from client.auditor.evidence.proven import BundleChain
from client.auditor.scope import Scope
from ledger.eip712 import compute_domain
from tests.conformance.chain import CODE_HASH, settle
from tests.simulated.job import SimulatedJob
from tests.simulated.terms import CHAIN_ID, JOB_LEDGER


def play(path: Path, count: int, rounds: int) -> str:
    """Write the bundle of a job; the hash of its block in hex."""
    job = SimulatedJob(nodes=count, rounds=rounds)
    files = {INDEX: Index(job.id, rounds).to_bytes()}
    own = job.job_files()
    files |= {SPEC: own.spec or b"", TERMS: own.terms or b"", ACCEPTANCE: own.acceptance or b""}
    for number in range(1, rounds + 1):
        bundle = job.play().bundle
        files |= {name_round(number, name): content for name, content in bundle.files.items()}
    drawn = {entry.node: entry.earned for entry in job.rounds[0].tally.entries if entry.earned}
    chain = settle(job.terms, job.domain, [played.header.statement for played in job.rounds], drawn)
    proven, block_hash = chain.prove()
    with path.open("wb") as target:
        write_archive(target, sorted((files | proven).items()))
    return block_hash.hex()


def measure(path: Path, block_hash: bytes) -> tuple[float, int]:
    """Verify a bundle; seconds of a core, and the bytes that the process grew by at most."""
    before, begun = psutil.Process().memory_info().rss, time.process_time()
    domain = compute_domain(CHAIN_ID, JOB_LEDGER)
    with Bundle(path) as bundle:
        sources = Sources(BundleEvidence(bundle), BundleChain(bundle, domain, block_hash, CODE_HASH), CODE_HASH)
        report = audit(bundle.index.job, sources, Scope(recompute=False))
    assert report.exit_code == 0, report
    unit = 1 if sys.platform == "darwin" else 1024
    grown = int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit - int(before)
    return time.process_time() - begun, grown


def main() -> None:
    """As the module says."""
    command, path, *rest = sys.argv[1:]
    if command == "play":
        print(play(Path(path), *map(int, rest)))
    else:
        print(*measure(Path(path), bytes.fromhex(rest[0])))


if __name__ == "__main__":
    main()
