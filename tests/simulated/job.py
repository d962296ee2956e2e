"""A job played in memory with real keys and real ledger code: what an honest coordinator and its nodes would publish.

`SimulatedJob` knows no learning: a `Judge` says what came of a round. `RandomJudge` draws verdicts and scores,
`tests/simulated/learned.py` runs real tasks. Everything is drawn from a seed, so that a job is the same in every run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType

from ledger import canonical, evidence
from ledger.age import state_age
from ledger.commitment import (
    Opening,
    compute_beacon,
    compute_seed_digest,
)
from ledger.draw import Draw, compute_draw_seed, draw_cohort
from ledger.entry import Standing, Verdict
from ledger.evidence import Manifest, OpenedClosing, ReportedContribution
from ledger.hashing import keccak256, sha256
from ledger.hexadecimal import to_hex
from ledger.screening import Reason, Rule, encode_reasons
from ledger.spec import JobSpec
from ledger.statements import Acceptance, Closing, Contribution, RoundHeader, Signed, Voucher
from ledger.tally import Tally
from ledger.verify.bundle import AnchoredRound, JobFiles, RoundFiles
from ledger.verify.chain import compute_anchor
from ledger.vouching import REPORTED, weigh
from tests.simulated.judge import Judge, RandomJudge
from tests.simulated.tallying import draft_header, receive, tally_up
from tests.simulated.terms import Setting, draw_setting, draw_signer, make_spec, make_terms

OPENED_BLOCK = 10
"""The block that opens every simulated job; its nodes are registered one block earlier, a round is drawn in each of
the blocks after it."""


def hash_block(number: int) -> bytes:
    """The hash of a block of the chain that never was."""
    return keccak256(b"block %d" % number)


@dataclass(frozen=True)
class SimulatedRound:
    """A round as published; `bundle` is what an auditor is given."""

    bundle: RoundFiles
    header: Signed[RoundHeader]
    tally: Tally
    payloads: Mapping[bytes, bytes]


class SimulatedJob:
    """Plays rounds one after another.

    Args:
        nodes: how many nodes take part in every round.
        rounds: how many the terms cover.
        scoring_rule: `aumann-shapley` or `by-weight`.
        seed: decides every key, salt and score.
        judge: the learning.
        spec: the rules, else ones that suit the scoring rule.
        setting: chain and keys, else drawn from the seed.
    """

    def __init__(
        self,
        nodes: int = 5,
        rounds: int = 3,
        scoring_rule: str = "aumann-shapley",
        seed: int = 7,
        judge: Judge | None = None,
        spec: JobSpec | None = None,
        setting: Setting | None = None,
    ) -> None:
        self.random = Random(seed)
        self.setting = setting or draw_setting(self.random)
        self.domain, self.coordinator = self.setting.domain, self.setting.coordinator
        self.nodes = [draw_signer(self.random) for _ in range(nodes)]
        self.judge = judge or RandomJudge()
        self.spec = spec or make_spec(self.random, scoring_rule)
        self.terms = make_terms(self.spec, self.setting, rounds)
        self.id = self.terms.job_id()
        self.blobs: dict[bytes, bytes] = {}
        self.rounds: list[SimulatedRound] = []
        self.standings: dict[bytes, Standing] = {}
        self.weights: list[int] = []
        self.parent = self.id
        self.find_block: Callable[[int], tuple[int, bytes]] = _find_block
        self.draw_source = hash_block(OPENED_BLOCK)
        self.model = self.spec.initial_model
        self.opened_at = self.setting.opened_at
        self.bases: list[bytes] = []
        self.weighed_by = self.spec
        """The spec by whose rule contributions are weighed: another than the job's is a lie."""
        self.seats: list[int] = []
        """Which nodes take part in the round that is played, in seq order."""
        self.ages: Mapping[int, int] = {}

    @property
    def as_of(self) -> int:
        """A time at which every round played so far is final."""
        return self.opened_at + 10_000

    def job_files(self) -> JobFiles:
        """The job's own files."""
        acceptance = Signed.issue(Acceptance(self.id, 1 << 40), self.domain, self.coordinator)
        return JobFiles(
            self.spec.to_bytes(), canonical.encode(self.terms.to_json()), canonical.encode(acceptance.to_json())
        )

    def play(
        self,
        hidden: Sequence[int] = (),
        absent: Sequence[int] = (),
        ages: Mapping[int, int] = MappingProxyType({}),
        said: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
    ) -> SimulatedRound:
        """Plays one round. Nodes in `hidden` commit and never reveal, those in `absent` take no part.

        `ages` says how many rounds back a node's model lies (0 unless named), `said` what its report says instead.
        """
        number = len(self.rounds) + 1
        seed = self.random.randbytes(32)
        self.bases.append(self.model)
        draw = self.draw(number, [node for node in range(len(self.nodes)) if node not in absent])
        self.seats = [node for node, signer in enumerate(self.nodes) if signer.address in draw.admitted]
        self.ages = ages
        made = [self._commit(number, node, said.get(node, {})) for node in self.seats]
        self.weights = [
            weigh(self.weighed_by, item.voucher, ages.get(node, 0))
            for node, (_, item, _) in zip(self.seats, made, strict=True)
        ]
        openings = [None if node in hidden else opening for node, _, opening in made]
        contributions = [contribution for _, contribution, _ in made]
        receipts = receive(self, number, contributions)
        accumulator = receipts[-1].statement.accumulator
        closed_at = self.opened_at + 20
        closing = Closing(self.id, number, len(made), accumulator, closed_at, compute_seed_digest(seed))
        salts = [opening.salt for opening in openings if opening is not None]
        beacon = compute_beacon(accumulator, seed, salts)
        judged = self.judge.judge(self, openings, beacon)
        tally = tally_up(self, number, contributions, receipts, judged)
        files = {
            evidence.CONTRIBUTIONS: evidence.encode_contributions(contributions),
            evidence.RECEIPTS: evidence.encode_receipts(receipts),
            evidence.CLOSING: evidence.encode_closing(
                OpenedClosing(Signed.issue(closing, self.domain, self.coordinator), seed)
            ),
            evidence.OPENINGS: evidence.encode_openings(openings),
            evidence.ENTRIES: evidence.encode_entries(tally.entries),
            evidence.TREE: canonical.encode(tally.tree().dump()),
            evidence.OUTCOME: canonical.encode(judged.outcome),
            evidence.SCREENING: encode_reasons(0, [_explain(seq, *one) for seq, one in enumerate(judged.verdicts)]),
            evidence.DRAW: draw.to_bytes(),
            **judged.arrays,
        }
        header = draft_header(self, closing, tally, files, judged, beacon)
        self.draw_source = beacon
        return self._seal(header, tally, files, openings)

    def draw(self, number: int, present: Sequence[int]) -> Draw:
        """The draw of a round for which these nodes are present; nobody joins later."""
        seed = compute_draw_seed(self.id, number, self.draw_source)
        block = self.find_block(number)
        there = sorted(self.nodes[node].address for node in present)
        maximum = self.spec.cohort.maximum
        if len(there) < maximum:
            return Draw(seed, *block, drawn=False, population=None, admitted=tuple(there))
        return draw_cohort(seed, block, {node.address: False for node in self.nodes}, there, maximum)

    def seal(self, header: RoundHeader, files: Mapping[str, bytes]) -> RoundFiles:
        """Signs a header over `files` as they are, true or not, and anchors it: what a lying coordinator can do."""
        listed = {name: content for name, content in files.items() if name not in evidence.OUTSIDE}
        header = replace(header, evidence=Manifest.of(listed).digest())
        signed = Signed.issue(header, self.domain, self.coordinator)
        sealed = {
            **listed,
            evidence.MANIFEST: Manifest.of(listed).to_bytes(),
            evidence.HEADER: canonical.encode(signed.to_json()),
        }
        return RoundFiles(header.round, sealed, self.anchor(header))

    def anchor(self, header: RoundHeader) -> AnchoredRound:
        """What the chain keeps of a header posted 40 seconds after it was closed."""
        posted_at = header.closed_at + 40
        final_at = posted_at + self.terms.window
        word = compute_anchor(header.digest(self.domain), header.entries_root, header.count, final_at)
        return AnchoredRound(word, final_at, final_at, posted_at)

    def hand_out(self, number: int, seq: int) -> bytes:
        """The reply of `entries/{node}` for one entry of a round."""
        played = self.rounds[number - 1]
        proof = ["0x" + element.hex() for element in played.tally.tree().proof(seq)]
        return canonical.encode(
            {
                "entry": played.tally.entries[seq].to_json(),
                "proof": proof,
                "header": played.header.to_json(),
                "anchor": None,
            }
        )

    def _commit(self, number: int, node: int, said: Mapping[str, str]) -> tuple[int, ReportedContribution, Opening]:
        payload = self.judge.make_payload(self, node)
        self.blobs[sha256(payload)] = payload
        opening = Opening(sha256(payload), bytes(32), self.random.randbytes(32))
        report = {"loss": f"0.{node + 1}25", "seconds": "1.5", "device": "cpu", "version": "0.1.0"}
        age = self.ages.get(node, 0)
        report |= {**state_age(self.spec, age, self.bases[number - 1 - age]), **said}
        voucher = self.vouch(number, node)
        if voucher is not None:
            report[REPORTED] = to_hex(voucher.statement.digest(self.domain))
        statement = Contribution(
            self.id,
            number,
            self.nodes[node].address,
            self.parent,
            self.model,
            opening.struct_hash(),
            self.count_samples(node),
            sha256(canonical.encode(report)),
        )
        signed = Signed.issue(statement, self.domain, self.nodes[node])
        return node, ReportedContribution(signed, report, voucher), opening

    def count_samples(self, node: int) -> int:
        """What a node holds: of 1 to 3 viewers, by its number."""
        return 100 + node

    def vouch(self, number: int, node: int) -> Signed[Voucher] | None:
        """The platform's voucher for a node's samples, in jobs that weigh by them."""
        if self.spec.vouchers is None:
            return None
        address, viewers = self.nodes[node].address, 1 + node % 3
        voucher = Voucher(self.id, number, address, viewers, self.count_samples(node))
        return Signed.issue(voucher, self.domain, self.setting.platform)

    def _seal(
        self, header: RoundHeader, tally: Tally, files: Mapping[str, bytes], openings: Sequence[Opening | None]
    ) -> SimulatedRound:
        bundle = self.seal(header, files)
        signed = Signed.issue(header, self.domain, self.coordinator)
        shown = [opening.payload_sha256 for opening in openings if opening is not None]
        played = SimulatedRound(bundle, signed, tally, {digest: self.blobs[digest] for digest in shown})
        self.rounds.append(played)
        self.standings |= tally.standings()
        self.parent, self.model = header.digest(self.domain), header.next_model
        self.opened_at += 120
        return played


def _explain(seq: int, verdict: Verdict, weight: int, score: int) -> Reason:
    """What a judge without learning knows of a verdict."""
    del weight, score
    return Reason(seq, verdict, Rule.UNREVEALED if verdict is Verdict.UNREVEALED else Rule.ACCEPTED)


def _find_block(number: int) -> tuple[int, bytes]:
    """The block at which the cohort of a round is drawn."""
    return OPENED_BLOCK + number, hash_block(OPENED_BLOCK + number)
