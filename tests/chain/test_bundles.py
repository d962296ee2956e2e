"""Bundles of a job on a real chain: the same block gives the same bytes, and its hash proves every anchor."""

from dataclasses import replace
from pathlib import Path

import pytest

from client.auditor import Scope, Sources, audit
from client.auditor.bundle import Bundle, BundleEvidence
from client.auditor.bundling import Written, write_bundle
from client.auditor.chain import LedgerChain
from client.auditor.checks import ALL_CHECKS, CHAIN_CHECKS
from client.auditor.explaining import explain
from client.auditor.proven import BundleChain
from client.auditor.report import Report
from client.output import format_amount
from contracts.gateway import Gateway
from contracts.state import Block
from ledger.verify.results import Outcome
from tests.chain.fixtures import TestChain
from tests.chain.life import Parties
from tests.chain.test_audit import PostedJob, play_posted
from tests.simulated.audit import find


@pytest.fixture
def posted(dev_chain: TestChain, gateway: Gateway, parties: Parties) -> PostedJob:
    return play_posted(dev_chain, gateway, parties)


def write(posted: PostedJob, path: Path, *, proof: bool = True, payloads: bool = True) -> Written:
    gateway, block = posted.gateway, posted.gateway.fetch_head()
    facts = LedgerChain(gateway).read_job_at(posted.job.id, block)
    evidence, prover = posted.sources.evidence, gateway if proof else None
    return write_bundle(posted.job.id, path, evidence, facts, block, prover, payloads=payloads)


def verify(
    path: Path, posted: PostedJob, block_hash: bytes | None, scope: Scope | None = None, code: bytes | None = None
) -> Report:
    with Bundle(path) as bundle:
        chain = BundleChain(bundle, posted.gateway.domain, block_hash, code)
        return audit(bundle.index.job, Sources(BundleEvidence(bundle), chain, code), scope)


def test_bundle_passes_every_check_under_the_hash_of_its_block(posted: PostedJob, tmp_path: Path) -> None:
    posted.claim(1)
    written = write(posted, tmp_path / "job.zip")
    assert (written.rounds, written.missing) == (2, ())
    report = verify(written.path, posted, written.block.hash)
    assert [str(result) for result in report.results if result.outcome is not Outcome.PASS] == []
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)
    assert (report.exit_code, report.block, report.dues) == (0, written.block.number, ())
    assert f"proven under the hash of block {written.block.number}" in report.chain


def test_same_job_at_the_same_block_makes_the_same_bytes(posted: PostedJob, tmp_path: Path) -> None:
    first, second = (write(posted, tmp_path / name).path.read_bytes() for name in ("one.zip", "two.zip"))
    assert first == second
    assert not list(tmp_path.glob("*.new"))


def test_without_a_hash_nothing_of_the_chain_is_known(posted: PostedJob, tmp_path: Path) -> None:
    path = write(posted, tmp_path / "job.zip").path
    report = verify(path, posted, None)
    assert report.exit_code == 3
    assert not report.find(Outcome.FAIL)
    assert find(report.results, Outcome.UNKNOWN) == CHAIN_CHECKS
    assert verify(path, posted, None, Scope(chain=False)).exit_code == 0


def test_hash_of_another_block_is_a_contradiction(posted: PostedJob, tmp_path: Path) -> None:
    path = write(posted, tmp_path / "job.zip").path
    report = verify(path, posted, bytes(32))
    assert find(report.results) == {"chain-proof"}
    assert report.exit_code == 1


def test_code_is_that_which_was_pinned(posted: PostedJob, tmp_path: Path) -> None:
    written = write(posted, tmp_path / "job.zip")
    code = posted.gateway.deployment.code_hashes["JobLedger"]
    assert verify(written.path, posted, written.block.hash, code=code).exit_code == 0
    report = verify(written.path, posted, written.block.hash, code=bytes(32))
    assert find(report.results) == {"trust"}


def test_bundle_of_another_ledger_than_the_trusted_one_is_not_trusted(posted: PostedJob, tmp_path: Path) -> None:
    written = write(posted, tmp_path / "job.zip")
    with Bundle(written.path) as bundle:
        other = replace(posted.gateway.domain, verifying_contract=bytes(20))
        chain = BundleChain(bundle, other, written.block.hash)
        report = audit(bundle.index.job, Sources(BundleEvidence(bundle), chain))
    assert {"trust", "header-signature"} <= find(report.results)
    assert report.exit_code == 1


def test_bundle_without_a_proof_or_payloads_leaves_them_unknown(posted: PostedJob, tmp_path: Path) -> None:
    written = write(posted, tmp_path / "job.zip", proof=False, payloads=False)
    report = verify(written.path, posted, written.block.hash)
    assert report.exit_code == 3
    assert not report.find(Outcome.FAIL)
    unknown = find(report.results, Outcome.UNKNOWN)
    assert "payload-digest" in unknown
    assert "anchor" in unknown


def test_proven_facts_are_those_of_the_chain(posted: PostedJob, tmp_path: Path) -> None:
    block: Block = posted.gateway.fetch_head()
    written = write(posted, tmp_path / "job.zip")
    with Bundle(written.path) as bundle:
        facts = BundleChain(bundle, posted.gateway.domain, block.hash).read_job(posted.job.id)
    live = LedgerChain(posted.gateway).read_job(posted.job.id)
    assert facts.kept == live.kept
    assert facts.account == live.account
    assert [one.anchored for one in facts.rounds] == [one.anchored for one in live.rounds]
    assert facts.rewards == live.rewards
    assert facts.token == live.token


def test_explanation_from_a_bundle_says_what_the_chain_says(posted: PostedJob, tmp_path: Path) -> None:
    posted.claim(1)
    written = write(posted, tmp_path / "job.zip")
    node = posted.job.nodes[0].address
    with Bundle(written.path) as bundle:
        chain = BundleChain(bundle, posted.gateway.domain, written.block.hash)
        told = explain(posted.job.id, 2, node, Sources(BundleEvidence(bundle), chain))
    live = explain(posted.job.id, 2, node, posted.sources)
    assert told.lines[-1].replace(", by the bundle", "") == live.lines[-1]
    assert told.lines[:-1] == live.lines[:-1]
    drawn, earned = (posted.job.rounds[number].tally.entries[0].earned for number in (0, 1))
    assert drawn > 0
    assert f": {format_amount(earned - drawn)} TALLY, for {format_amount(drawn)} TALLY was drawn" in told.lines[-1]
    assert f"as of block {written.block.number}" in told.lines[-1]
