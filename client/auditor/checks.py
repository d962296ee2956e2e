"""The whole table of an audit: the ledger's checks, those that recompute the learning, those about money on chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.verify.checks import LEDGER_CHECKS, Check

_RECOMPUTED: Final = (
    (
        "payload-digest",
        "Every revealed payload is there and has the SHA-256 that its opening names.",
        "The update that was counted is not the one that was committed to.",
    ),
    (
        "screening",
        "Every verdict, its reason in screening.json and every weight are what screening the payloads gives.",
        "An update was refused or accepted against the rules.",
    ),
    (
        "reference",
        "The reference that updates were trusted by is the auditor's own, within the tolerance of the gradient.",
        "Updates were counted by how far they point where the coordinator wants.",
    ),
    (
        "aggregate",
        "The published sum is exactly what the job's aggregation rule makes of the accepted updates.",
        "An update was added that nobody sent, left out, or counted with another weight.",
    ),
    (
        "next-model",
        "The next model and the server's momentum follow from the base model and the sum, to the last bit.",
        "The published model is not the one that was trained.",
    ),
    (
        "sample",
        "The validation sample is the one that the beacon draws.",
        "Scores were computed on chosen examples.",
    ),
    (
        "outcome",
        "Clip norms, halvings of the rate, the reason of a void round and both losses are those of the recomputation.",
        "The account of the round is not what happened.",
    ),
    (
        "gradient",
        "The public gradient is the auditor's own, within the tolerance that processors differ by.",
        "Scores were computed against an invented direction.",
    ),
    (
        "scores",
        "Every score follows exactly from the public gradient.",
        "A node was credited with more or less than its update did.",
    ),
)

_PAID: Final = (
    (
        "claims",
        "Every claim on chain paid what a final entry had earned, less what was claimed before.",
        "Tokens were paid that no entry earned.",
    ),
    (
        "escrow",
        "The chain keeps the terms of the job; its escrow is what was paid, is payable, free, refunded and burned.",
        "Money of the job is not where its rounds say it is.",
    ),
)

_TRUSTED: Final = (
    (
        "chain-proof",
        "What is said of the chain was read from the auditor's provider, or is proven under the block's hash.",
        "The bundle tells of another block, or of a state that this block does not have.",
    ),
    (
        "trust",
        "Chain, ledger, the ledger's code and the coordinator are those that the auditor trusts.",
        "This is about another deployment or coordinator than the one that was pinned.",
    ),
)

_POPULATION: Final = (
    (
        "cohort-population",
        "Cohorts were drawn over the nodes that were registered with the job's stake, all of them and no others.",
        "Nodes had a place that the chain knows nothing of, or others were left out.",
    ),
)


def _number(first: int, rows: tuple[tuple[str, str, str], ...]) -> dict[str, Check]:
    return {row[0]: Check(number, *row) for number, row in enumerate(rows, start=first)}


RECOMPUTED_CHECKS: Final[Mapping[str, Check]] = _number(len(LEDGER_CHECKS) + 1, _RECOMPUTED)
PAYMENT_CHECKS: Final[Mapping[str, Check]] = _number(len(LEDGER_CHECKS) + len(_RECOMPUTED) + 1, _PAID)
TRUST_CHECKS: Final[Mapping[str, Check]] = _number(len(LEDGER_CHECKS) + len(_RECOMPUTED) + len(_PAID) + 1, _TRUSTED)
_TOLD: Final = {**LEDGER_CHECKS, **RECOMPUTED_CHECKS, **PAYMENT_CHECKS, **TRUST_CHECKS}
POPULATION_CHECKS: Final[Mapping[str, Check]] = _number(len(_TOLD) + 1, _POPULATION)
ALL_CHECKS: Final[Mapping[str, Check]] = {**_TOLD, **POPULATION_CHECKS}

ANCHOR_CHECKS: Final = ("anchor-by", "anchor", "finality")
WAITING_CHECKS: Final = (*ANCHOR_CHECKS, *POPULATION_CHECKS)
"""What a round that is not on chain yet may leave open."""
CHAIN_CHECKS: Final = frozenset({*ANCHOR_CHECKS, *PAYMENT_CHECKS, *TRUST_CHECKS, *POPULATION_CHECKS})
"""What only the chain answers: not required where it was left out on purpose."""
