"""The rules of a job's learning that every party must apply alike, as the job spec states them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from ledger.errors import MalformedSpec
from ledger.spec import NOTHING_SCREENED, Adam, JobSpec, Screening, check_aggregation, parse_decimal

AUMANN_SHAPLEY: Final = "aumann-shapley"
BY_WEIGHT: Final = "by-weight"
MEAN: Final = "mean"
NORM_CLIPPED: Final = "norm-clipped-mean"
CENTRED_CLIPPING: Final = "centred-clipping"
MEDIAN: Final = "median"
TRIMMED_MEAN: Final = "trimmed-mean"
MULTI_KRUM: Final = "multi-krum"
TRUST_WEIGHTED: Final = "trust-weighted"


@dataclass(frozen=True, slots=True)
class LearningRules:
    """Numbers as in the spec: integers and decimal strings (see DESIGN.md §4.4, §4.5).

    `clip_norm` is in the units of the parameters, `sample_positions` counts the beacon's sample (unused by
    `by-weight`), `cohort_minimum` the fewest opened contributions that make a round, `aggregation_tolerance` the part
    of a cohort that may be dishonest, which only `trimmed-mean` and `multi-krum` ask for.
    """

    clip_norm: str
    server_rate: str
    server_momentum: str
    fraction_bits: int = 12
    sample_positions: int = 2500
    cohort_minimum: int = 1
    aggregation_rule: str = MEAN
    scoring_rule: str = AUMANN_SHAPLEY
    aggregation_tolerance: str = "0"
    adam: Adam | None = None
    screening: Screening = NOTHING_SCREENED

    def __post_init__(self) -> None:
        check_aggregation(self.aggregation_rule, self.aggregation_tolerance)
        known = self.scoring_rule in (AUMANN_SHAPLEY, BY_WEIGHT)
        _require("scoringRule", known, f"{AUMANN_SHAPLEY!r} or {BY_WEIGHT!r}", self.scoring_rule)
        guided = self.aggregation_rule != TRUST_WEIGHTED or self.scoring_rule == AUMANN_SHAPLEY
        _require("aggregationRule", guided, "another rule where there is no validation set", self.aggregation_rule)
        _require("fractionBits", 0 < self.fraction_bits <= 24, "1 to 24", self.fraction_bits)
        _require("validationPositions", self.sample_positions > 0, "at least 1", self.sample_positions)
        _require("cohort.minimum", self.cohort_minimum > 0, "at least 1", self.cohort_minimum)
        _require("clipNorm", self.first_clip > 0, "a norm of at least one unit of 2^-fractionBits", self.clip_norm)
        _require("serverRate", self.rate > 0, "above 0", self.server_rate)
        _require("serverMomentum", 0 <= self.momentum < 1, "at least 0 and below 1", self.server_momentum)

    @classmethod
    def of(cls, spec: JobSpec) -> LearningRules:
        """The rules that a job's spec states."""
        return cls(
            clip_norm=spec.clip_norm,
            server_rate=spec.server_rate,
            server_momentum=spec.server_momentum,
            fraction_bits=spec.fraction_bits,
            sample_positions=spec.validation_positions,
            cohort_minimum=spec.cohort.minimum,
            aggregation_rule=spec.aggregation_rule,
            scoring_rule=spec.scoring_rule,
            aggregation_tolerance=spec.aggregation_tolerance,
            adam=spec.adam,
            screening=spec.screening,
        )

    @property
    def rate(self) -> Fraction:
        """The server rate η, exactly."""
        return parse_decimal("serverRate", self.server_rate)

    @property
    def momentum(self) -> Fraction:
        """The server momentum β, exactly."""
        return parse_decimal("serverMomentum", self.server_momentum)

    @property
    def published_vectors(self) -> int:
        """How many vectors a scored round publishes beside its move (see `optimiser.list_published`)."""
        return 1 + (self.aggregation_rule == TRUST_WEIGHTED) + (0 if self.adam is None else 2)

    @property
    def tolerance(self) -> Fraction:
        """The part of a cohort that may be dishonest, exactly."""
        return parse_decimal("aggregationTolerance", self.aggregation_tolerance)

    @property
    def first_clip(self) -> int:
        """The first round's norm bound, floor(C · 2^f), in units of 2^-f."""
        return math.floor(parse_decimal("clipNorm", self.clip_norm) * (1 << self.fraction_bits))


def _require(field: str, holds: bool, expected: str, got: object) -> None:
    if not holds:
        raise MalformedSpec(field, expected, got)
