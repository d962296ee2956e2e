"""One flipped byte anywhere turns the audit red, with the id of the check that the value belongs to."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger import canonical, evidence
from ledger.verify.bundle import RoundFiles
from ledger.verify.checks import ROUND_CHECKS
from ledger.verify.results import Outcome
from tests.simulated.audit import Path, audit_round, audit_rounds, cover, find, flip, open_job, play_three, walk
from tests.simulated.job import SimulatedJob

ROUND = 2

# The check that owns each member, by file and by the last name on the member's path.
OWNERS: dict[str, dict[str | int, str]] = {
    evidence.CONTRIBUTIONS: {
        **dict.fromkeys(("job", "round", "parent", "baseModel"), "contribution-fields"),
        **dict.fromkeys(("node", "commitment", "samples", "signature"), "contribution-signature"),
        **dict.fromkeys(("report", "loss", "seconds", "device", "version"), "report-digest"),
        "voucher": "voucher",
    },
    evidence.RECEIPTS: {
        **dict.fromkeys(("job", "round", "seq", "node", "contribution"), "receipt-sequence"),
        "accumulator": "receipt-accumulator",
        **dict.fromkeys(("receivedAt", "anchorBy", "signature"), "receipt-signature"),
    },
    evidence.CLOSING: {
        **dict.fromkeys(("job", "round", "count", "accumulator", "closedAt"), "closing-accumulator"),
        **dict.fromkeys(("seed", "seedDigest"), "seed-digest"),
        "signature": "closing-signature",
    },
    evidence.OPENINGS: dict.fromkeys(("payloadSha256", "vectorCommitment", "salt", 1), "opening"),
    evidence.ENTRIES: {
        **dict.fromkeys(("seq", "node", "contribution"), "entry-contribution"),
        "signatures": "entry-signatures",
        **dict.fromkeys(("verdict", "weight"), "verdict-weight"),
        **dict.fromkeys(("score", "credit", "peak", "gain", "earned", "previousRound"), "carry"),
        "reward": "reward-formula",
        **dict.fromkeys(
            ("runningWeight", "runningScore", "runningGain", "runningReward", "runningAggregate"), "running-totals"
        ),
    },
    evidence.HEADER: {
        **dict.fromkeys(("job", "round", "signature", "nextModel", "openedAt"), "header-signature"),
        "parent": "header-parent",
        "baseModel": "header-model",
        "entriesRoot": "tree-root",
        **dict.fromkeys(("accumulator", "closedAt"), "closing-accumulator"),
        **dict.fromkeys(
            ("count", "totalWeight", "totalScore", "totalGain", "totalReward", "aggregate"), "header-totals"
        ),
        "evidence": "evidence-manifest",
        "beacon": "beacon",
    },
}


def list_members() -> list[tuple[str, str | int]]:
    """Every member of every statement, entry and opening of a round."""
    files = play_three().rounds[ROUND - 1].bundle.files
    found = {(name, path[-1]) for name in OWNERS for path in walk(canonical.decode(files[name]))}
    return sorted(found, key=str)


def test_honest_job_passes_every_check() -> None:
    results = audit_rounds(play_three())
    assert {result.outcome for result in results} == {Outcome.PASS}
    assert len(results) == 3 + len(ROUND_CHECKS) * 3


@pytest.mark.parametrize(("name", "member"), list_members())
def test_flipped_value_fails_its_check(name: str, member: str | int) -> None:
    content, check = play_three().rounds[ROUND - 1].bundle.files[name], OWNERS[name][member]
    for path in walk(canonical.decode(content)):
        # Three bytes of a signature: in r, in s, and v.
        for byte in (3, 40, 64) if member == "signature" else (-1,):
            if path[-1] == member:
                assert_flip_fails(name, path, byte, check)


def assert_flip_fails(name: str, path: Path, byte: int, check: str) -> None:
    job = play_three()
    bundle = job.rounds[ROUND - 1].bundle
    flipped = replace(bundle, files={**bundle.files, name: flip(bundle.files[name], path, byte)})
    failed = find(audit_round(job, ROUND, flipped))
    assert check in failed, path
    if name == evidence.HEADER:
        assert "header-signature" in failed, path
        return
    assert "evidence-manifest" in failed, path
    # The coordinator may cover it with a new manifest, header and anchor: the check that owns the value still fails.
    covered = find(audit_round(job, ROUND, cover(job, ROUND, flipped)))
    assert check in covered, path
    assert not covered & {"evidence-manifest", "header-signature", "anchor"}, path


@pytest.mark.parametrize("name", [evidence.TREE, evidence.MANIFEST])
def test_flipped_value_of_tree_or_manifest_fails_its_check(name: str) -> None:
    job = play_three()
    bundle = job.rounds[ROUND - 1].bundle
    count = len(job.rounds[ROUND - 1].tally.entries)
    for path in walk(canonical.decode(bundle.files[name])):
        flipped = replace(bundle, files={**bundle.files, name: flip(bundle.files[name], path)})
        failed = find(audit_round(job, ROUND, flipped))
        assert "evidence-manifest" in failed, path
        if name == evidence.TREE:
            padding = path[0] == "values" and int(path[1]) >= count
            assert ("tree-padding" if padding else "tree-root") in failed, path


@pytest.mark.parametrize("name", [evidence.OUTCOME, evidence.SCREENING, evidence.AGGREGATE])
def test_flipped_byte_of_a_file_of_learning_fails_the_manifest(name: str) -> None:
    job = play_three()
    bundle = job.rounds[ROUND - 1].bundle
    for at in range(len(bundle.files[name])):
        content = bytearray(bundle.files[name])
        content[at] ^= 0x10
        flipped = replace(bundle, files={**bundle.files, name: bytes(content)})
        assert find(audit_round(job, ROUND, flipped)) == {"evidence-manifest"}


@pytest.mark.parametrize(
    ("name", "checks"),
    [
        ("spec", {"": "spec-digest"}),
        ("terms", {"": "job-id", "specDigest": "spec-digest"}),
        ("acceptance", {"": "acceptance-signature"}),
    ],
)
def test_flipped_value_of_a_file_of_the_job_fails_its_check(name: str, checks: dict[str, str]) -> None:
    job = play_three()
    content = getattr(job.job_files(), name)
    for path in walk(canonical.decode(content)):
        results, audited = open_job(job, replace(job.job_files(), **{name: flip(content, path)}))
        assert {checks[""], checks.get(str(path[-1]), checks[""])} <= find(results), path
        assert audited is None or name == "acceptance"


@pytest.mark.parametrize(
    ("field", "check"),
    [("word", "anchor"), ("final_at", "anchor"), ("window_end", "finality"), ("posted_at", "finality")],
)
def test_flipped_word_of_the_chain_fails_its_check(field: str, check: str) -> None:
    job = play_three()
    bundle = job.rounds[ROUND - 1].bundle
    assert bundle.anchored is not None
    value = getattr(bundle.anchored, field)
    flipped = bytes([value[0] ^ 1]) + value[1:] if isinstance(value, bytes) else value ^ 1
    changed: dict[str, Any] = {field: flipped}
    anchored = replace(bundle.anchored, **changed)
    assert check in find(audit_round(job, ROUND, replace(bundle, anchored=anchored)))


@pytest.mark.parametrize("seq", range(5))
def test_flipped_value_of_an_entry_handed_out_fails_proof_length(seq: int) -> None:
    job = play_three()
    bundle = job.rounds[ROUND - 1].bundle
    reply = job.hand_out(ROUND, seq)
    assert not find(audit_round(job, ROUND, replace(bundle, handed_out=[reply])))
    for path in walk(canonical.decode(reply)):
        if path[0] in ("entry", "proof"):
            flipped = replace(bundle, handed_out=[flip(reply, path)])
            assert find(audit_round(job, ROUND, flipped)) == {"proof-length"}, path


FILES = [*evidence.ALWAYS, evidence.AGGREGATE, evidence.MANIFEST, evidence.HEADER]


@given(name=st.sampled_from(FILES), at=st.integers(0, 1 << 20), bits=st.integers(1, 255))
@example(name=evidence.HEADER, at=0, bits=1)
def test_any_flipped_byte_of_any_file_never_passes_and_never_crashes(name: str, at: int, bits: int) -> None:
    """Whatever byte of whatever file is changed, in whatever way, some check fails; none raises."""
    job = play_three()
    bundle = job.rounds[ROUND - 1].bundle
    content = bytearray(bundle.files[name])
    content[at % len(content)] ^= bits
    _assert_red(job, replace(bundle, files={**bundle.files, name: bytes(content)}))


@given(name=st.sampled_from(FILES), content=st.binary(max_size=300))
def test_any_file_replaced_by_noise_never_passes_and_never_crashes(name: str, content: bytes) -> None:
    """Bytes that are no such file fail the check that owns the file."""
    job = play_three()
    bundle = job.rounds[ROUND - 1].bundle
    _assert_red(job, replace(bundle, files={**bundle.files, name: content}))


@given(name=st.sampled_from(FILES), start=st.integers(0, 1 << 20), length=st.integers(1, 200))
def test_any_file_with_a_piece_cut_out_never_passes_and_never_crashes(name: str, start: int, length: int) -> None:
    """A truncated or shortened file fails."""
    job = play_three()
    bundle = job.rounds[ROUND - 1].bundle
    content = bundle.files[name]
    start %= len(content)
    _assert_red(job, replace(bundle, files={**bundle.files, name: content[:start] + content[start + length :]}))


def _assert_red(job: SimulatedJob, bundle: RoundFiles) -> None:
    results = audit_round(job, ROUND, bundle)
    assert find(results)
    # Nothing that was not looked at passes.
    assert all(result.items > 0 for result in results if result.outcome is Outcome.PASS)
