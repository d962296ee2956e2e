"""The table of checks that need public bytes and no learning: number, stable id, what holds, what failing means.

Numbers are the order of the audit; ids never change their meaning. `docs/auditors.md` is generated from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Check:
    """One question of an audit. `meaning` says what holds when it passes, `failing` what is wrong when it fails."""

    number: int
    id: str
    meaning: str
    failing: str


def _table(first: int, *rows: tuple[str, str, str]) -> dict[str, Check]:
    return {
        id_: Check(number, id_, meaning, failing) for number, (id_, meaning, failing) in enumerate(rows, start=first)
    }


JOB_CHECKS: Final[Mapping[str, Check]] = _table(
    1,
    (
        "spec-digest",
        "spec.json is a well-formed canonical spec whose SHA-256 is the terms' specDigest.",
        "The rules of the learning are not those the escrow was opened for.",
    ),
    (
        "job-id",
        "The struct hash of the terms is the job's id, as `openJob` computes it.",
        "The terms shown are not those the chain enforces.",
    ),
    (
        "acceptance-signature",
        "The coordinator of the terms signed the acceptance of this job.",
        "The coordinator never agreed to run this job, or another key signed.",
    ),
)

ROUND_CHECKS: Final[Mapping[str, Check]] = _table(
    len(JOB_CHECKS) + 1,
    (
        "contribution-fields",
        "Every contribution names this job, this round, its parent header and its base model.",
        "A contribution was counted in a round, history or model it was not made for.",
    ),
    (
        "contribution-unique",
        "No node and no contribution is in the round twice.",
        "A node was counted, and perhaps paid, twice in one round.",
    ),
    (
        "report-digest",
        "Every node's report is the one its contribution commits to.",
        "What a node said about its work was rewritten.",
    ),
    (
        "contribution-signature",
        "Every contribution was signed by the node it names.",
        "A contribution was invented or altered.",
    ),
    (
        "receipt-sequence",
        "One receipt per contribution, for this job, round, node and digest; seq counts from 0 within the places.",
        "A contribution was dropped, inserted or moved after it was received.",
    ),
    (
        "receipt-accumulator",
        "Each receipt's accumulator follows from the one before and its contribution, from the round's start on.",
        "The coordinator's receipts do not form one history: contributions were inserted, dropped or reordered.",
    ),
    (
        "receipt-signature",
        "Every receipt was signed by the coordinator of the terms.",
        "A receipt was invented or altered.",
    ),
    (
        "anchor-by",
        "Each receipt promises an anchor by the time the rules give, and the round was anchored by the first.",
        "The coordinator promised another time than the rules give, or broke the promise.",
    ),
    (
        "closing-accumulator",
        "Closing and header name this job and round, the receipts' number and last accumulator, and one closing time.",
        "A commitment was admitted or dropped after the round was closed.",
    ),
    (
        "seed-digest",
        "The published seed is the one whose digest was announced when the round opened.",
        "The coordinator changed its seed and could choose the validation sample.",
    ),
    (
        "closing-signature",
        "The closing was signed by the coordinator of the terms.",
        "The closing was invented or altered.",
    ),
    (
        "opening",
        "Every opening opens its contribution's commitment, except where the verdict says that it does not.",
        "The update that was counted is not the one the node committed to.",
    ),
    (
        "verdict-unrevealed",
        "The verdict is unrevealed exactly where no opening is shown.",
        "An opening was held back, or an update nobody revealed was counted.",
    ),
    (
        "beacon",
        "The header's beacon follows from accumulator, seed and salts; it is zero where no sample is drawn.",
        "The validation sample was chosen, not drawn.",
    ),
    (
        "entry-contribution",
        "There is one entry per receipt, with its seq, its node and its contribution.",
        "A receipt was left out of the tally, or an entry was invented or moved.",
    ),
    (
        "entry-signatures",
        "Each entry names the digest of the node's and the coordinator's signature.",
        "An entry cannot be tied to the statements it stands for.",
    ),
    (
        "verdict-weight",
        "Verdicts are the protocol's, void where too few opened; only accepted entries weigh, by the rule, and score.",
        "A refused contribution was counted, or an accepted one counts more than another.",
    ),
    (
        "carry",
        "Credit, peak, gain, earned and previousRound of each entry follow from the node's entry before.",
        "A node's account was changed between rounds.",
    ),
    (
        "reward-formula",
        "Each reward is floor(pot · gain / totalGain) of the round's pot.",
        "A node was paid by another formula.",
    ),
    (
        "running-totals",
        "Each entry's running totals are the sums up to it.",
        "The sums were bent between two entries.",
    ),
    (
        "tree-padding",
        "The tree has exactly 2^d leaves, and those past the last entry are padding.",
        "The tree has room for a leaf that nobody was shown.",
    ),
    (
        "tree-root",
        "The tree rebuilt from the entries is the one published, and its root is the header's.",
        "The anchored tree holds other entries than those shown.",
    ),
    (
        "proof-length",
        "Every proof handed out has exactly d elements and proves its entry under the header's root.",
        "A proof fits a tree of another shape, or another entry.",
    ),
    (
        "header-signature",
        "The header is for this job and round and was signed by the coordinator of the terms.",
        "The header was invented or altered.",
    ),
    (
        "header-totals",
        "The header's count, weight, score, gain and reward are those of the last entry.",
        "The header claims other totals than its entries add up to.",
    ),
    (
        "header-parent",
        "The header's parent is the digest of the header before (the job's id in round 1), and its times are in order.",
        "There are two histories, or a gap in this one.",
    ),
    (
        "header-model",
        "The base model is the one the round before ended with (the spec's in round 1); a void round keeps it.",
        "Nodes trained from another model than the published one.",
    ),
    (
        "evidence-manifest",
        "The header's evidence is the digest of the manifest, which lists every file of the round with its bytes.",
        "A file was changed, added or left out after the header was signed.",
    ),
    (
        "anchor",
        "The word on chain is the hash of this header's digest, root and count and the round's finality time.",
        "The chain holds another header than the one shown, or none although it was due.",
    ),
    (
        "finality",
        "The round's window is as long as the terms say, and the round was not struck.",
        "The round was rejected or had a shorter window: nothing in it can be relied on.",
    ),
    (
        "budget",
        "The round pays at most the terms' budget, and the job has no more rounds than its terms.",
        "The coordinator signed away more than the requester escrowed.",
    ),
    (
        "cohort-draw",
        "Every contributor is in the cohort; its draw follows from the round before; those passed over are told.",
        "The coordinator took in whom it liked instead of those whom the draw gave a place.",
    ),
    (
        "age",
        "Every report names a model that the job takes, the base model of as many rounds before as it says.",
        "A contribution trained from an older model was taken for a fresher one, or one too old was let in.",
    ),
    (
        "voucher",
        "Where the spec weighs by vouchers, its platform signed one for each contribution, named in the node's report.",
        "A node was weighed by what nobody vouched for, or by what was vouched for another node or round.",
    ),
)

LEDGER_CHECKS: Final[Mapping[str, Check]] = {**JOB_CHECKS, **ROUND_CHECKS}
