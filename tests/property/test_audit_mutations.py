"""A whole audit over a job that really learned: no byte of no file can be changed unseen, and nothing crashes."""

from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from client.auditor import Sources, audit
from client.auditor.report import Report
from learning.evidence import OutcomeAccount
from learning.tensors import ArrayType, read_arrays
from ledger import evidence
from ledger.spec import Adam
from ledger.verify.bundle import RoundFiles
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import make_learned_job
from tests.simulated.sources import SimulatedChain, make_evidence, make_facts

LEARNED = (evidence.OUTCOME, evidence.SCREENING, *evidence.ARRAYS)
INTEGERS: dict[str, tuple[str, dict[str, ArrayType]]] = {
    evidence.GRADIENT: ("gradient", {}),
    evidence.REFERENCE: ("reference", {"scale": ArrayType("I64", (1,))}),
}
FILES = (*evidence.ALWAYS, *evidence.ARRAYS, evidence.MANIFEST, evidence.HEADER)


@cache
def play() -> SimulatedJob:
    # Of all rules the one whose rounds have every file.
    job = make_learned_job(nodes=3, rounds=2, aggregation=("trust-weighted", "0"), adam=Adam("0.9", "0.01"))
    job.play()
    job.play()
    return job


def audit_with(bundle: RoundFiles) -> Report:
    job, source, facts = play(), make_evidence(play()), make_facts(play())
    source.rounds[bundle.round] = bundle
    posted = list(facts.rounds)
    if bundle.anchored is not None:
        posted[bundle.round - 1] = replace(posted[bundle.round - 1], anchored=bundle.anchored)
    return audit(job.id, Sources(source, SimulatedChain(replace(facts, rounds=tuple(posted)))))


@settings(max_examples=25)
@given(name=st.sampled_from(FILES), at=st.integers(0, 1 << 20), bits=st.integers(1, 255))
def test_any_flipped_byte_of_any_file_ends_with_one(name: str, at: int, bits: int) -> None:
    """Whatever byte of whatever file a coordinator changes after it signed, the audit says that it is false."""
    bundle = play().rounds[0].bundle
    content = bytearray(bundle.files[name])
    content[at % len(content)] ^= bits
    assert audit_with(replace(bundle, files={**bundle.files, name: bytes(content)})).exit_code == 1


@settings(max_examples=25)
@given(name=st.sampled_from(LEARNED), at=st.integers(0, 1 << 20), bits=st.integers(1, 255))
def test_any_flipped_byte_of_a_learned_file_that_was_signed_ends_with_one(name: str, at: int, bits: int) -> None:
    """A coordinator that signs a false account of the learning is contradicted by the recomputation."""
    job, played = play(), play().rounds[0]
    content = bytearray(played.bundle.files[name])
    content[at % len(content)] ^= bits
    bundle = job.seal(played.header.statement, {**played.bundle.files, name: bytes(content)})
    report = audit_with(bundle)
    assert report.exit_code == 1 or is_tolerated(name, played.bundle.files[name], bytes(content))


def is_tolerated(name: str, published: bytes, changed: bytes) -> bool:
    """Processors differ in the last digits of losses and gradients: such a change is no lie."""
    if name == evidence.OUTCOME:
        return OutcomeAccount.from_bytes(changed).agrees(OutcomeAccount.from_bytes(published))
    if name not in INTEGERS:
        return False
    (before, scale), (after, changed_scale) = (read_integers(name, content) for content in (published, changed))
    near = int(np.abs(before - after).max()) <= max(2, int(np.abs(after).max()) // 100_000)
    return near and scale == changed_scale


def read_integers(name: str, content: bytes) -> tuple[NDArray[np.int64], list[int]]:
    """The integers of a file that is compared within a tolerance, and the scale that is not."""
    member, rest = INTEGERS[name]
    arrays = read_arrays(content, {member: ArrayType("I32", (None,)), **rest}, name, len(content))
    return arrays[member].astype(np.int64), [number for other in rest for number in arrays[other].tolist()]


@settings(max_examples=15)
@given(name=st.sampled_from(FILES), content=st.binary(max_size=200))
def test_any_file_replaced_by_noise_never_passes(name: str, content: bytes) -> None:
    """Noise is false or unknown, never right, and never stops the audit."""
    bundle = play().rounds[0].bundle
    assert audit_with(replace(bundle, files={**bundle.files, name: content})).exit_code in (1, 3)
