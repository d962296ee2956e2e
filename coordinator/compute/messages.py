"""What is asked of the compute child and what it answers: plain frozen values, loaded without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JobFiles:
    """Asks whether a job's files are what its task reads. Answer: the model's number of parameters."""

    spec: bytes
    initial_model: Path
    validation: Path | None
    holdout: Path | None


@dataclass(frozen=True, slots=True)
class RevealedPayload:
    """One receipt's contribution: `payload` is None where there is nothing to read; `verdict` then says why.

    `node` is who sent it, `digest` the payload's SHA-256 (zero without one), `weight` what it weighs in the sum if
    it is accepted, by the spec's rule.
    """

    seq: int
    verdict: int
    payload: Path | None
    node: bytes
    digest: bytes
    weight: int


@dataclass(frozen=True, slots=True)
class RoundWork:
    """Asks for one round's outcome. `state` is None for a job's first round; `blobs` is where new files go."""

    spec: bytes
    base_model: Path
    validation: Path | None
    state: Path | None
    beacon: bytes
    payloads: tuple[RevealedPayload, ...]
    blobs: Path


@dataclass(frozen=True, slots=True)
class Judged:
    """A contribution's verdict, weight and score (units of 2^-40 nats)."""

    seq: int
    verdict: int
    weight: int
    score: int
    detail: str


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What came of a round. `files` are evidence files by name to (SHA-256, bytes).

    They, `next_model` and `state` are staged: whoever relies on them has them saved first.
    `beacon` is what belongs into the header; `next_clip` in units of 2^-f; `outcome` are the bytes of `outcome.json`.
    """

    judged: tuple[Judged, ...]
    void: str | None
    next_model: bytes
    state: bytes
    beacon: bytes
    next_clip: int
    outcome: bytes
    files: dict[str, tuple[bytes, int]]
    seconds: dict[str, float]

    def list_staged(self) -> list[bytes]:
        """What is staged, by SHA-256."""
        return [self.next_model, self.state, *(digest for digest, _ in self.files.values())]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Asks for the metrics of a model on examples that decide nothing. Answer: metrics by name."""

    spec: bytes
    model: Path
    holdout: Path
