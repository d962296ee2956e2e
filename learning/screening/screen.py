"""A round's contributions judged in seq order: what passes is handed on, and every verdict comes with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from learning.payload import compute_update_digest, read_update
from learning.quantise import Update, compute_norm_squared
from learning.screening.copies import Comparable, CopySearch, split
from learning.screening.measures import compute_fourth_powers
from learning.screening.memory import EarlierUpdate, Memory
from learning.screening.rules import (
    LEAST_JUDGED,
    Refusal,
    judge_constant,
    judge_form,
    judge_noise,
    judge_norm,
    judge_repetition,
)
from learning.tensors import MalformedArrays
from ledger.entry import Verdict
from ledger.screening import Original, Reason, Rule, write_fraction
from ledger.spec import NOTHING_SCREENED, Screening

_UNOPENED = {Verdict.UNREVEALED: Rule.UNREVEALED, Verdict.NOT_OPENED: Rule.NOT_OPENED}


class Opened(Protocol):
    """A contribution as it stands after the reveal phase; `read` gives the payload of one that is ACCEPTED so far."""

    @property
    def seq(self) -> int:
        """Its place in the round."""

    @property
    def node(self) -> bytes:
        """Who sent it."""

    @property
    def payload(self) -> bytes:
        """SHA-256 of the payload."""

    @property
    def verdict(self) -> Verdict:
        """ACCEPTED, UNREVEALED or NOT_OPENED."""

    @property
    def read(self) -> Callable[[], bytes]:
        """Reads the payload."""


@dataclass(frozen=True, slots=True, eq=False)
class Screened:
    """A verdict with its reason; `update [n]`, its digest and Σu² (units of 2^-2f) are there when it is ACCEPTED."""

    verdict: Verdict
    reason: Reason
    update: Update | None = None
    norm_squared: int = 0
    digest: bytes = b""
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Weighed:
    """A contribution with what was measured of it, and what it is refused for by itself."""

    opened: Opened
    refusal: Refusal | None = None
    update: Update | None = None
    norm_squared: int = 0
    digest: bytes = b""
    kurtosis: str | None = None


class Screen:
    """Judges one round.

    Args:
        size: parameters of the model.
        clip: the round's norm bound in units of 2^-f.
        memory: of the rounds before.
        screening: the job's thresholds.
        read_earlier: gives a payload of an earlier round by its SHA-256.
    """

    def __init__(
        self,
        size: int,
        clip: int,
        memory: Memory,
        screening: Screening = NOTHING_SCREENED,
        read_earlier: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._size, self._clip, self._memory, self._screening = size, clip, memory, screening
        self._number = memory.rounds + 1
        self._passed: dict[bytes, Original] = {}
        self._refused: dict[bytes, Original] = {}
        self._compared: list[EarlierUpdate] = []
        self._copies: CopySearch | None = None
        if screening.copy_cosine < 1:
            cosine, window = screening.near_copy_cosine, screening.window
            self._copies = CopySearch(size, cosine, window, memory, read_earlier or _refuse)

    def judge(self, contributions: Sequence[Opened]) -> Iterator[Screened]:
        """Judges contributions in seq order; a tile of them is in memory where updates are compared, else one."""
        tiles = split(contributions, self._size) if self._copies else ([one] for one in contributions)
        for tile in tiles:
            weighed = [self._weigh(one) for one in tile]
            candidates = self._find_candidates(weighed)
            for one in weighed:
                yield self._decide(one, candidates)

    def remember(self) -> Memory:
        """The memory after this round, once all were judged.

        Refused updates are no originals of near copies, but nobody sends one again by chance: else a near copy would
        pass, sent once more, when what it is near to has left the window.
        """
        return self._memory.after({**self._refused, **self._passed}, self._compared, self._screening.window)

    def _weigh(self, opened: Opened) -> _Weighed:
        """Reads a payload and measures it, as far as the next rule needs it."""
        if opened.verdict is not Verdict.ACCEPTED:
            return _Weighed(opened, Refusal(opened.verdict, _UNOPENED[opened.verdict], ""))
        try:
            update = read_update(opened.read(), self._size)
        except MalformedArrays as error:
            return _Weighed(opened, judge_form(error))
        norm_squared = compute_norm_squared(update)
        refusal, kurtosis = judge_norm(norm_squared, self._clip), None
        if norm_squared >= LEAST_JUDGED:
            refusal = refusal or judge_constant(update, norm_squared)
            if self._screening.kurtosis > 0:
                fourth = compute_fourth_powers(update)
                kurtosis = write_fraction(self._size * fourth, norm_squared**2)
                least = self._screening.least_kurtosis
                refusal = refusal or judge_noise(self._size, norm_squared, fourth, least)
        return _Weighed(opened, refusal, update, norm_squared, compute_update_digest(update), kurtosis)

    def _find_candidates(self, tile: Sequence[_Weighed]) -> Mapping[Original, Sequence[Comparable]]:
        if self._copies is None:
            return {}
        judged = [(one, one.update) for one in tile if one.update is not None and _is_judged(one)]
        return self._copies.find([self._compare(one) for one, _ in judged], [update for _, update in judged])

    def _decide(self, one: _Weighed, candidates: Mapping[Original, Sequence[Comparable]]) -> Screened:
        """The last rules, which depend on who passed before."""
        refusal = one.refusal
        if one.update is not None and _is_judged(one):
            refusal = judge_repetition(one.digest, self._passed, self._memory.known)
            if refusal is None and self._copies is not None:
                refusal = self._copies.judge(self._compare(one), one.update, candidates[self._place(one.opened)])
            if refusal is None:
                place = self._place(one.opened)
                self._passed[one.digest] = place
                self._compared.append(EarlierUpdate(place, one.opened.payload, one.norm_squared))
        if refusal is not None and one.update is not None and one.norm_squared >= LEAST_JUDGED:
            self._refused.setdefault(one.digest, self._place(one.opened))
        if refusal is None:
            reason = _explain(one, Refusal(Verdict.ACCEPTED, Rule.ACCEPTED, ""))
            return Screened(Verdict.ACCEPTED, reason, one.update, one.norm_squared, one.digest)
        return Screened(refusal.verdict, _explain(one, refusal), detail=refusal.detail)

    def _compare(self, one: _Weighed) -> Comparable:
        read = partial(_read, one.opened, self._size)
        return Comparable(self._place(one.opened), one.norm_squared, read)

    def _place(self, opened: Opened) -> Original:
        return Original(self._number, opened.seq, opened.node)


def _is_judged(one: _Weighed) -> bool:
    """Whether an update that stands by itself is large enough to be anybody's."""
    return one.refusal is None and one.norm_squared >= LEAST_JUDGED


def _read(opened: Opened, size: int) -> Update:
    return read_update(opened.read(), size)


def _refuse(payload: bytes) -> bytes:
    raise ValueError(f"expected a reader of earlier payloads, got none: {payload.hex()} is to be compared")


def _explain(one: _Weighed, refusal: Refusal) -> Reason:
    measured = one.update is not None
    return Reason(
        one.opened.seq,
        refusal.verdict,
        refusal.rule,
        update=one.digest if measured else None,
        norm_squared=one.norm_squared if measured else None,
        kurtosis=one.kurtosis,
        limit=refusal.limit,
        original=refusal.original,
        cosine=refusal.cosine,
    )
