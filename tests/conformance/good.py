"""The good bundle: a job that really learned, on a chain that never was; played once, committed, then only taken apart.

Learning rounds floats as its processor does, so playing anew elsewhere gives other bytes: `good.zip` is what everything
else is derived from, by arithmetic that is the same everywhere.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

from client.auditor.evidence.archive import Archive
from client.auditor.evidence.bundle import ACCEPTANCE, INDEX, SPEC, TERMS, Index, name_blob, name_round
from ledger import canonical, evidence
from ledger.signatures import Signer
from ledger.statements import RoundHeader, Signed, Terms
from tests.conformance.chain import ChainDraft, settle
from tests.conformance.draft import LAST, Draft, Files, read_last
from tests.simulated.learned import make_learned_job, send_zero
from tests.simulated.terms import Setting, draw_setting, draw_signer

FOLDER = Path(__file__).parent
GOOD = FOLDER / "good.zip"
SEED = 7
NODES = 5
ROUNDS = 3


def draw_keys() -> tuple[Setting, list[Signer]]:
    """The keys of the job: drawn as `SimulatedJob` draws them."""
    random = Random(SEED)
    setting = draw_setting(random)
    return setting, [draw_signer(random) for _ in range(NODES)]


def play() -> Files:
    """Plays the job: a zero update in round 1, an unrevealed one in round 2. The files of its evidence."""
    setting, nodes = draw_keys()
    job = make_learned_job(nodes=NODES, rounds=ROUNDS, twists={(1, 2): send_zero}, setting=setting)
    job.nodes = nodes
    job.play()
    job.play(hidden=[3])
    own = job.job_files()
    files = {INDEX: Index(job.id, LAST).to_bytes()}
    files |= dict(zip((SPEC, TERMS, ACCEPTANCE), _list(own), strict=True))
    for played in job.rounds:
        files |= {name_round(played.bundle.round, name): content for name, content in played.bundle.files.items()}
    shown = {digest for played in job.rounds for digest in played.payloads}
    models = {played.header.statement.next_model for played in job.rounds} | {job.spec.initial_model}
    assert job.spec.validation is not None
    wanted = shown | models | {job.spec.validation}
    files |= {name_blob(digest): job.blobs[digest] for digest in wanted}
    return files | prove_good(files)


def _list(own: object) -> list[bytes]:
    return [getattr(own, name) for name in ("spec", "terms", "acceptance")]


@cache
def load_good() -> Files:
    """The committed bundle's files."""
    with Archive(GOOD) as archive:
        return {name: archive.read(name) or b"" for name in archive.names}


def prove_good(files: Files | None = None) -> Files:
    """The chain's files of the good bundle, by the storage layout of the ledger's committed build."""
    return make_chain(load_good() if files is None else files).prove()[0]


def open_draft() -> Draft:
    """A fresh draft of the good bundle."""
    files = load_good()
    setting, nodes = draw_keys()
    return read_last(files, setting, nodes, make_chain(files))


def make_chain(files: Files) -> ChainDraft:
    """What the chain holds of the job: both rounds posted and final, two nodes paid for the first."""
    setting, _ = draw_keys()
    terms = Terms.from_json(canonical.decode(files[TERMS]))
    headers = [
        Signed.from_json(RoundHeader, canonical.decode(files[name_round(number, evidence.HEADER)])).statement
        for number in range(1, LAST + 1)
    ]
    first = evidence.decode_entries(files[name_round(1, evidence.ENTRIES)])
    drawn = {entry.node: entry.earned for entry in first if entry.earned}
    return settle(terms, setting.domain, headers, dict(sorted(drawn.items())[:2]))


def with_terms(files: Files, **changes: int) -> Files:
    """The same files under other terms than those of the job's id."""
    terms = replace(Terms.from_json(canonical.decode(files[TERMS])), **changes)  # type: ignore[arg-type]  # amounts
    return files | {TERMS: canonical.encode(terms.to_json())}
