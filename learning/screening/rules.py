"""The rules, one function each: what an update is refused for, with the verdict and the numbers that say so.

Each takes what was measured and the job's threshold, and returns None for an update that passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from learning.payload import ELEMENT, OutOfRange
from learning.quantise import Update
from learning.tensors import MalformedArrays
from ledger.entry import Verdict
from ledger.screening import Original, Rule, write_fraction

LEAST_JUDGED: Final = 64
"""Updates with a smaller Σu² (units of 2^-2f) are neither repetitions, near copies nor implausible.

Nodes for which nothing is left to learn send a few elements of ±1, and such updates do coincide: honest moves scaled
down were equal up to Σu² = 5, and never from 9 on. Nobody gains by copying one: it is 8 units long where the smallest
norm bound is √n.
"""

_FEWEST: Final = 64


@dataclass(frozen=True, slots=True)
class Refusal:
    """A verdict other than ACCEPTED, the rule that gave it, a sentence, and what the rule went by."""

    verdict: Verdict
    rule: Rule
    detail: str
    limit: str | None = None
    original: Original | None = None
    cosine: str | None = None


def judge_form(error: MalformedArrays) -> Refusal:
    """A payload that is not the file that was asked for: which part of it is not. Elements are integers, so finite."""
    if isinstance(error, OutOfRange):
        rule = Rule.RANGE
    elif error.expected.startswith(f"{ELEMENT} "):
        rule = Rule.SHAPE if str(error.got).startswith(f"{ELEMENT} ") else Rule.DTYPE
    else:
        rule = Rule.FORMAT
    return Refusal(Verdict.MALFORMED, rule, str(error))


def judge_norm(norm_squared: int, clip: int) -> Refusal | None:
    """Σu² above clip²."""
    if norm_squared <= clip * clip:
        return None
    detail = f"expected Σu² of at most {clip}², got {norm_squared}"
    return Refusal(Verdict.NORM, Rule.NORM, detail, str(clip * clip))


def judge_constant(update: Update, norm_squared: int) -> Refusal | None:
    """All elements equal, at least 64 of them: no data pulls every parameter alike."""
    if update.size < _FEWEST or update.size * int(update[0]) ** 2 != norm_squared or (update != update[0]).any():
        return None
    return Refusal(Verdict.IMPLAUSIBLE, Rule.CONSTANT, f"all {update.size} elements are {update[0]}")


def judge_noise(size: int, norm_squared: int, fourth_powers: int, least: str) -> Refusal | None:
    """A kurtosis n · Σu⁴ / (Σu²)² below the least: noise has 3, what training moves has heavy tails."""
    bound = Fraction(least)
    if size * fourth_powers * bound.denominator >= bound.numerator * norm_squared**2:
        return None
    kurtosis = write_fraction(size * fourth_powers, norm_squared**2)
    detail = f"expected a kurtosis of at least {least}, got {kurtosis}"
    return Refusal(Verdict.IMPLAUSIBLE, Rule.NOISE, detail, least)


def judge_repetition(
    digest: bytes, this_round: Mapping[bytes, Original], known: Mapping[bytes, Original]
) -> Refusal | None:
    """The same elements as an update that passed in this round, or was sent in an earlier one, whoever sent it."""
    if digest in this_round:
        detail = "an earlier contribution of this round has the same update"
        return Refusal(Verdict.DUPLICATE, Rule.DUPLICATE, detail, original=this_round[digest])
    if digest in known:
        detail = "a contribution of an earlier round has the same update"
        return Refusal(Verdict.RECYCLED, Rule.RECYCLED, detail, original=known[digest])
    return None


def judge_copy(original: Original, number: int, cosine: str, limit: str) -> Refusal:
    """Nearly another node's update, which came first: of this round (its number), or of an earlier one."""
    verdict = Verdict.DUPLICATE if original.round == number else Verdict.RECYCLED
    where = "of this round" if original.round == number else f"of round {original.round}"
    detail = f"expected a cosine of at most {limit} with seq {original.seq} {where}, got {cosine}"
    return Refusal(verdict, Rule.NEAR_COPY, detail, limit, original, cosine)
