"""Bundles of a job on a real chain: the same block gives the same bytes, and its hash proves every anchor."""

from dataclasses import replace
from pathlib import Path

import pytest

from client.auditor import Scope, Sources, audit
from client.auditor.bundling import Written, write_bundle
from client.auditor.checks import ALL_CHECKS, CHAIN_CHECKS, POPULATION_CHECKS
from client.auditor.evidence.bundle import Bundle, BundleEvidence
from client.auditor.evidence.chain import LedgerChain
from client.auditor.evidence.proven import BundleChain
from client.auditor.evidence.proving import read_chain
from client.auditor.evidence.sources import NoSuchJob
from client.auditor.explaining import explain
from client.auditor.report import Report
from client.output import format_amount
from contracts.gateway import Gateway
from contracts.proofs import ProofRefused
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
    chain = read_chain(posted.job.id, posted.gateway, Gateway.fetch_head, prove=proof)
    return write_bundle(posted.job.id, path, posted.sources.evidence, chain, payloads=payloads)


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
    assert find(report.results, Outcome.FAIL) == set()
    # There was room for all: what only the registry's events tell is not needed.
    assert find(report.results, Outcome.UNKNOWN) == set(POPULATION_CHECKS)
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS) - set(POPULATION_CHECKS)
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


def test_chain_that_goes_on_while_it_is_read_is_proven_at_a_later_block(
    posted: PostedJob, dev_chain: TestChain, tmp_path: Path
) -> None:
    """A provider that proves only its newest block is enough, though blocks come between the questions."""
    asked: list[Block] = []

    def choose(gateway: Gateway) -> Block:
        if asked:
            dev_chain.mine()
        asked.append(gateway.fetch_head())
        return asked[-1]

    chain = read_chain(posted.job.id, posted.gateway, choose, prove=True)
    assert chain.block == asked[-1] != asked[0]
    written = write_bundle(posted.job.id, tmp_path / "job.zip", posted.sources.evidence, chain, payloads=True)
    assert verify(written.path, posted, chain.block.hash).exit_code == 0


def test_job_that_was_never_opened_has_no_bundle(posted: PostedJob) -> None:
    with pytest.raises(NoSuchJob):
        read_chain(bytes(32), posted.gateway, Gateway.fetch_head, prove=True)


def test_block_that_cannot_be_proven_is_told(posted: PostedJob) -> None:
    """A provider whose proof leads elsewhere than the block's hash: there is nothing to wait for."""
    block = posted.gateway.fetch_head()
    answers = iter([block, replace(block, hash=bytes(32)), block])
    with pytest.raises(ProofRefused, match="another block"):
        read_chain(posted.job.id, posted.gateway, lambda _: next(answers), prove=True)


def test_same_block_makes_the_same_bytes_after_the_chain_went_on(posted: PostedJob, tmp_path: Path) -> None:
    old = posted.gateway.fetch_head()
    bundles = []
    for name in ("before.zip", "after.zip"):
        chain = read_chain(posted.job.id, posted.gateway, lambda _: old, prove=True)
        written = write_bundle(posted.job.id, tmp_path / name, posted.sources.evidence, chain)
        bundles.append(written.path.read_bytes())
        posted.claim(1)
    assert bundles[0] == bundles[1]


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
