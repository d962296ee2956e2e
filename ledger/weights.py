"""What a contribution weighs in the sum: whole numbers by the spec's rule, never by what a node says of itself."""

from __future__ import annotations

import math
from typing import Final

from ledger.errors import VerificationError
from ledger.spec import JobSpec
from ledger.spec.options import FRESH

MOST_WEIGHT: Final = 1 << 47
"""What the weights of a round may come to together: sums of two updates (16 bits) to a contribution stay in int64."""


TRUST_BITS: Final = 12
"""Trust multiplies weights under `trust-weighted`: a cosine in units of 2^-12. Honest updates have 0.1 and more."""


def compute_weight(spec: JobSpec, viewers: int = 0, samples: int = 0, age: int = 0) -> int:
    """Returns the weight of a contribution that is `age` rounds old, over what its voucher says (unused by `equal`).

    `vouched-samples`: the samples, at most `samplesPerViewer` for each viewer, so that viewers dealt out to more nodes
    never weigh more. With staleness, floor(weight · 1024 · discount^age), which is at least 1 where the weight is.

    Raises:
        VerificationError: the age is beyond what the spec takes.
    """
    if not 0 <= age <= spec.staleness.max_age:
        raise VerificationError("verdict-weight", "the age of the model trained from", spec.staleness.max_age, age)
    weight = 1 if spec.vouchers is None else min(samples, viewers * spec.vouchers.samples_per_viewer)
    if spec.staleness.max_age == 0:
        return weight
    return math.floor(weight * FRESH * spec.staleness.factor**age)
