"""What nodes revealed in a round, as an auditor takes it up: payloads by their digests, weights, the beacon."""

from __future__ import annotations

from collections.abc import Iterable

from client.auditor.evidence.blobs import Blobs, WrongBlob
from client.auditor.learning.learned import Unknown
from client.auditor.learning.stated import StatedUpdate
from learning.round import RevealedContribution
from learning.state import RoundState
from ledger.age import read_age
from ledger.commitment import Opening, compute_beacon
from ledger.entry import Verdict
from ledger.errors import VerificationError
from ledger.spec import JobSpec
from ledger.verify.bundle import RoundEvidence
from ledger.verify.results import Findings
from ledger.vouching import weigh

PAYLOAD_LIMIT_BYTES = 64 << 20


class Revealed:
    """Fetches payloads, and keeps them as long as a round is compared with them.

    Args:
        spec: of the job, whose rule weighs.
        blobs: where payloads come from.
    """

    def __init__(self, spec: JobSpec, blobs: Blobs) -> None:
        self._spec, self._blobs = spec, blobs
        self._stated: list[StatedUpdate] = []
        self._looked_at: set[bytes] = set()
        self._contradicted: dict[int, str] = {}

    def load(self, read: RoundEvidence, findings: Findings) -> list[RevealedContribution]:
        """A round's contributions in seq order, each with its payload and weight.

        Raises:
            Unknown: payloads, openings or what a contribution weighs are not there, or not what they must be.
        """
        pairs = _pair(read)
        shown = [(seq, opening) for seq, (_, opening) in enumerate(pairs) if opening is not None]
        fetched = self._blobs.fetch_all([opening.payload_sha256 for _, opening in shown], PAYLOAD_LIMIT_BYTES)
        for (seq, _), answer in zip(shown, fetched, strict=True):
            if isinstance(answer, WrongBlob):
                findings.fail("payload-digest", str(answer), seq)
        if fetched.count(False) or findings.has_failed("payload-digest"):
            raise Unknown(f"{sum(answer is not True for answer in fetched)} of {len(shown)} payloads were not given")
        findings.note("payload-digest", max(1, len(shown)))
        nodes = [item.signed.statement.node for item in read.contributions or ()]
        weights = _compute_weights(self._spec, read)
        return [
            self._reveal(seq, node, weight, opening, opens)
            for seq, (node, weight, (opens, opening)) in enumerate(zip(nodes, weights, pairs, strict=True))
        ]

    def _reveal(self, seq: int, node: bytes, weight: int, opening: Opening | None, opens: bool) -> RevealedContribution:
        if opening is None:
            return RevealedContribution(seq, weight, Verdict.UNREVEALED, bytes, node)
        digest = opening.payload_sha256
        verdict = Verdict.ACCEPTED if opens else Verdict.NOT_OPENED
        return RevealedContribution(seq, weight, verdict, lambda: self._blobs.read(digest), node, digest)

    def rely_on(self, stated: Iterable[StatedUpdate]) -> None:
        """Takes up what an account says of its round's updates; it is looked at before a round is compared with it."""
        self._stated += [one for one in stated if one.passed]

    def fetch_earlier(self, state: RoundState, size: int, window: int) -> None:
        """The earlier payloads that this round is compared with: those of the last `window` rounds.

        Raises:
            Unknown: one is not given, or is not what a round that was not recomputed says of it.
        """
        oldest = state.memory.rounds + 1 - window
        self._stated = [one for one in self._stated if one.place.round >= oldest]
        kept = state.memory.list_payloads()
        digests = sorted(kept | {one.payload for one in self._stated})
        missing = sum(answer is not True for answer in self._blobs.fetch_all(digests, PAYLOAD_LIMIT_BYTES))
        if missing:
            raise Unknown(f"{missing} of {len(digests)} payloads of earlier rounds were not given")
        for one in self._stated:
            problem = one.find_problem(self._blobs.read(one.payload), size)
            if problem is not None:
                self._contradicted.setdefault(one.place.round, problem)
        # Small updates are nobody's originals: they were only fetched to see that they are small.
        self._looked_at |= {one.payload for one in self._stated} - kept
        self._stated = []
        for number, problem in self._contradicted.items():
            if number >= oldest:
                raise Unknown(problem)

    def drop(self, read: RoundEvidence, before: RoundState, after: RoundState) -> None:
        """Lets go of what no later round is compared with."""
        revealed = {opening.payload_sha256 for opening in read.openings or () if opening}
        known = revealed | before.memory.list_payloads() | self._looked_at
        self._blobs.drop(known - after.memory.list_payloads())
        self._looked_at = set()


def _compute_weights(spec: JobSpec, read: RoundEvidence) -> list[int]:
    """What each contribution weighs once accepted. Raises Unknown where a report says nothing that the job takes."""
    try:
        return [weigh(spec, item.voucher, read_age(spec, item.report)) for item in read.contributions or ()]
    except VerificationError as error:
        raise Unknown(f"what a contribution weighs does not follow from its report: {error}") from error


def _pair(read: RoundEvidence) -> list[tuple[bool, Opening | None]]:
    """Each contribution's opening, and whether it opens."""
    if read.contributions is None or read.openings is None or len(read.contributions) != len(read.openings):
        raise Unknown("contributions or openings could not be read")
    return [
        (opening is not None and opening.opens(item.signed.statement.commitment), opening)
        for item, opening in zip(read.contributions, read.openings, strict=True)
    ]


def find_beacon(read: RoundEvidence) -> bytes:
    """The beacon that follows from the openings shown. Raises Unknown."""
    if read.closing is None or read.head is None:
        raise Unknown("closing or header could not be read")
    salts = [opening.salt for opens, opening in _pair(read) if opens and opening is not None]
    return compute_beacon(read.head.accumulator, read.closing.seed, salts)
