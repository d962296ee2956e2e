"""Audits without a connection: a bundle and the auditor's own policy; and the words that end `tally audit bundle`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from client.auditor.evidence.bundle import Bundle, BundleEvidence
from client.auditor.evidence.proven import BundleChain
from client.auditor.evidence.sources import Sources
from client.auditor.policy import choose_policy
from client.auditor.reading import parse_hash
from client.auditor.report import NOT_CHECKED
from client.errors import UsageRefused
from client.home import Home
from client.output import print_json
from ledger.eip712 import compute_domain
from ledger.hexadecimal import to_hex

if TYPE_CHECKING:
    from client.auditor.bundling import Written

MISSING_SHOWN = 10


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """A bundle that is open: the job it says it is of, and the sources of its audit."""

    job: bytes
    sources: Sources


@contextmanager
def open_bundle(
    path: Path, home: Home, ledger: str | None, chain_id: int | None, block_hash: str | None
) -> Iterator[OpenedBundle]:
    """Opens a bundle for an audit by what the options and the auditor's policy file say; the bundle's own is not read.

    Raises:
        UsageRefused: there is no such file, or nothing says which ledger on which chain is trusted.
        MalformedBundle: the file is no bundle.
    """
    policy = choose_policy(home, ledger, chain_id)
    if policy.chain_id is None:
        raise UsageRefused("which chain do you trust? Give --chain-id, or pin it once with `tally audit pin`")
    if not path.is_file():
        raise UsageRefused(f"expected a bundle at {path}, got no file: write one with `tally audit bundle`")
    wanted = None if block_hash is None else parse_hash(block_hash, "--block-hash")
    with Bundle(path) as bundle:
        domain = compute_domain(policy.chain_id, policy.job_ledger)
        chain = BundleChain(bundle, domain, wanted, policy.code_hash)
        sources = Sources(BundleEvidence(bundle), chain, policy.code_hash, policy.coordinator)
        yield OpenedBundle(bundle.index.job, sources)


def verify_online(target: str, block_hash: str | None, chain: bool) -> None:
    """Refuses options that go with bundles alone. Raises UsageRefused."""
    if Path(target).is_file():
        raise UsageRefused(f"{target} is a file: add --offline to verify a bundle")
    if block_hash is not None or not chain:
        raise UsageRefused("--block-hash and --no-chain go with --offline: here the chain itself is read")


def report_bundle(written: Written, *, as_json: bool) -> int:
    """Says what was written and what is missing; the exit code is 3 where something is."""
    with written.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    if as_json:
        print_json(
            {
                "file": str(written.path),
                "sha256": to_hex(digest),
                "job": to_hex(written.job),
                "block": written.block.number,
                "blockHash": to_hex(written.block.hash),
                "rounds": written.rounds,
                "missing": list(written.missing),
            }
        )
    else:
        typer.echo(
            f"{written.path}: {written.rounds} rounds as of block {written.block.number}\n"
            f"SHA-256 {digest.hex()}\n"
            f"verify it with the block's hash from your own provider, here {to_hex(written.block.hash)}"
        )
        for name in written.missing[:MISSING_SHOWN]:
            typer.echo(f"not handed out: {name}", err=True)
        if len(written.missing) > MISSING_SHOWN:
            typer.echo(f"and {len(written.missing) - MISSING_SHOWN} more", err=True)
    return NOT_CHECKED if written.missing else 0
