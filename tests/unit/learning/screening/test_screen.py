"""A round's screening: who is refused beside whom, what is remembered, and that the victim of a copy never is."""

from collections.abc import Sequence

import numpy as np
import pytest

from learning.payload import compute_update_digest, write_update
from learning.quantise import Update
from learning.screening import copies
from learning.screening.memory import Memory
from learning.screening.screen import Screen, Screened
from ledger.entry import Verdict
from ledger.screening import Rule
from ledger.spec import NOTHING_SCREENED, Screening
from tests.unit.learning.digits_job import reveal
from tests.unit.learning.screening.rounds import SIZE, Rounds, draw, near

ACCEPTED, DUPLICATE, RECYCLED = Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.RECYCLED
COPIES = Screening("0.9", 2, "0")


def judge(payloads: Sequence[bytes | Update | Verdict], clip: int = 1 << 20) -> list[Screened]:
    return list(Screen(SIZE, clip, Memory()).judge(reveal(payloads)))


def test_first_of_equal_updates_is_accepted_and_the_next_refused() -> None:
    judged = judge([draw(1), draw(2), draw(1)])
    assert [one.verdict for one in judged] == [ACCEPTED, ACCEPTED, DUPLICATE]
    original = judged[2].reason.original
    assert original is not None
    assert (original.round, original.seq) == (1, 0)


def test_update_of_an_earlier_round_is_recycled_even_by_its_own_node_and_long_after() -> None:
    rounds = Rounds(NOTHING_SCREENED)
    rounds.play({1: draw(1)})
    for _ in range(5):
        rounds.play({2: draw(9 + len(rounds.reasons))})
    assert rounds.play({1: draw(1), 3: draw(1)}) == [RECYCLED, RECYCLED]
    original = rounds.reasons[-1][0].original
    assert original is not None
    assert (original.round, original.seq, original.node) == (1, 0, rounds.address(1))


@pytest.mark.parametrize("screening", [NOTHING_SCREENED, Screening("0.5", 3, "5")])
def test_zero_and_tiny_updates_are_nobodys(screening: Screening) -> None:
    """What nodes send that have nothing left to learn coincides, and is neither copied nor implausible."""
    tiny = np.zeros(SIZE, np.int16)
    tiny[:63] = 1
    rounds = Rounds(screening)
    for _ in range(3):
        assert rounds.play({1: tiny * 0, 2: tiny * 0, 3: tiny, 4: tiny}) == [ACCEPTED] * 4
    assert not rounds.memory.known


def test_updates_from_the_floor_on_are_somebodys() -> None:
    small = np.zeros(SIZE, np.int16)
    small[:64] = 1
    assert [one.verdict for one in judge([small, small])] == [ACCEPTED, DUPLICATE]


def test_refused_update_is_no_original() -> None:
    large = draw(1) * 3
    judged = judge([large, draw(2), large], clip=int(np.linalg.norm(draw(2).astype(float))) + 1)
    assert [one.verdict for one in judged] == [Verdict.NORM, ACCEPTED, Verdict.NORM]


def test_unopened_contributions_keep_their_verdict_and_are_not_read() -> None:
    judged = judge([Verdict.UNREVEALED, draw(1), Verdict.NOT_OPENED, b"rubbish"])
    assert [one.reason.rule for one in judged] == [Rule.UNREVEALED, Rule.ACCEPTED, Rule.NOT_OPENED, Rule.FORMAT]


def test_reason_holds_what_was_measured() -> None:
    (one,) = Screen(SIZE, 1 << 20, Memory(), Screening("1", 0, "2")).judge(reveal([draw(1)]))
    elements = [int(element) for element in draw(1)]
    squares, fourths = sum(u**2 for u in elements), sum(u**4 for u in elements)
    assert one.reason.norm_squared == squares
    assert one.reason.update == compute_update_digest(draw(1))
    assert one.reason.kurtosis == f"{SIZE * fourths * 10**6 // squares**2 / 10**6:.6f}"


def test_near_copy_of_this_round_is_refused_whichever_node_is_larger() -> None:
    rounds = Rounds(COPIES)
    assert rounds.play({5: draw(1), 2: near(draw(1), 0.2), 3: draw(3)}) == [ACCEPTED, DUPLICATE, ACCEPTED]
    reason = rounds.reasons[-1][1]
    assert (reason.rule, reason.limit) == (Rule.NEAR_COPY, "0.9")
    assert reason.original is not None
    assert (reason.original.seq, reason.original.node) == (0, rounds.address(5))
    assert reason.cosine is not None
    assert 0.9 < float(reason.cosine) < 1


@pytest.mark.parametrize("scale", [0.3, 2.0])
def test_scaled_copy_is_a_copy_and_a_noisy_one_is_not(scale: float) -> None:
    rounds = Rounds(COPIES)
    rounds.play({1: draw(1)})
    assert rounds.play({2: near(draw(1), 0.0, scale), 3: near(draw(1), 1.0)}) == [RECYCLED, ACCEPTED]


@pytest.mark.parametrize(("gap", "verdict"), [(0, RECYCLED), (1, RECYCLED), (2, ACCEPTED)])
def test_copies_are_known_for_as_many_rounds_as_the_spec_says(gap: int, verdict: Verdict) -> None:
    rounds = Rounds(COPIES)
    rounds.play({1: draw(1)})
    for number in range(gap):
        rounds.play({2: draw(50 + number)})
    assert rounds.play({2: near(draw(1), 0.1)}) == [verdict]


def test_own_successive_updates_are_no_copies() -> None:
    rounds = Rounds(COPIES)
    for seed in range(4):
        assert rounds.play({1: near(draw(1), 0.1, seed=seed)}) == [ACCEPTED]


def test_victim_is_accepted_after_every_attempt_to_get_it_refused() -> None:
    """Whatever copiers send, refused or not, its victim's next updates pass: it was there first."""
    rounds = Rounds(COPIES)
    assert rounds.play({1: near(draw(1), 0.05, seed=1)}) == [ACCEPTED]
    # A plain copy is refused and no original; a noisy one passes, lies within reach of both, and comes first.
    assert rounds.play({2: near(draw(1), 0.05), 3: near(draw(1), 0.52, seed=4), 1: near(draw(1), 0.05, seed=2)}) == [
        RECYCLED,
        ACCEPTED,
        ACCEPTED,
    ]
    assert rounds.play({1: near(draw(1), 0.05, seed=3)}) == [ACCEPTED]


def test_guess_of_how_an_update_goes_on_does_not_get_it_refused() -> None:
    """A copier that extrapolates sends in this round, before its victim, what the victim then sends nearly."""
    screening = Screening("0.98", 2, "0")
    rounds = Rounds(screening)
    past, drift = draw(1).astype(float), draw(2).astype(float)
    honest = [np.rint(past + 0.1 * number * drift).astype(np.int16) for number in range(3)]
    rounds.play({1: honest[0]})
    guess = np.rint(past + 0.25 * drift).astype(np.int16)
    verdicts = rounds.play({2: guess, 1: honest[1]})
    assert verdicts == [ACCEPTED, ACCEPTED]
    assert rounds.play({1: honest[2]}) == [ACCEPTED]


def test_own_copy_of_another_excuses_no_later_copy() -> None:
    """A first copy, noisy enough to pass, is younger than its original: what follows is still a copy of that."""
    rounds = Rounds(COPIES)
    rounds.play({1: draw(1)})
    assert rounds.play({2: near(draw(1), 0.55)}) == [ACCEPTED]
    assert rounds.play({2: near(draw(1), 0.1)}) == [RECYCLED]


def test_copy_of_a_refused_copy_is_refused_for_the_true_original() -> None:
    rounds = Rounds(COPIES)
    rounds.play({1: draw(1)})
    copy = near(draw(1), 0.1)
    assert rounds.play({2: copy, 3: copy}) == [RECYCLED, RECYCLED]
    assert {reason.original.node for reason in rounds.reasons[-1] if reason.original} == {rounds.address(1)}


def test_refused_copy_is_refused_again_when_its_original_has_left_the_window() -> None:
    """Found by a node that recycled whatever others had sent: what was refused is known by its content for ever."""
    rounds = Rounds(Screening("0.9", 1, "0"))
    copy = near(draw(1), 0.1)
    rounds.play({1: draw(1)})
    assert rounds.play({2: copy}) == [RECYCLED]
    assert rounds.play({3: copy, 2: near(draw(5), 0.1)}) == [RECYCLED, ACCEPTED]
    assert rounds.reasons[-1][0].rule is Rule.RECYCLED


def test_update_that_was_too_large_is_no_less_known() -> None:
    rounds = Rounds(COPIES, clip=int(np.linalg.norm(draw(2).astype(float))) + 1)
    large = draw(1) * 3
    assert rounds.play({1: large}) == [Verdict.NORM]
    rounds.clip = 1 << 20
    assert rounds.play({2: large, 3: draw(2)}) == [RECYCLED, ACCEPTED]


def test_tiles_change_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def play() -> list[list[Verdict]]:
        rounds = Rounds(COPIES)
        first = {node: draw(node) for node in range(6)}
        second = {node: near(draw(node % 4), 0.1) if node > 5 else draw(20 + node) for node in range(10)}
        return [rounds.play(first), rounds.play(second | {11: near(second[1], 0.1)})]

    whole = play()
    assert DUPLICATE in whole[1]
    assert RECYCLED in whole[1]
    for updates in (1, 2, 3):
        monkeypatch.setattr(copies, "TILE_BYTES", 2 * SIZE * updates)
        assert play() == whole


def test_copies_without_a_reader_of_earlier_payloads_are_an_error() -> None:
    rounds = Rounds(COPIES)
    rounds.play({1: draw(1)})
    with pytest.raises(ValueError, match="expected a reader"):
        list(Screen(SIZE, 1 << 20, rounds.memory, COPIES).judge(reveal([draw(2)])))


def test_nothing_is_read_where_no_near_copy_is_refused() -> None:
    """No threshold, no cost: one payload at a time, none of earlier rounds, nothing kept for later ones."""
    memory = Memory()
    for seed in range(3):
        screen = Screen(SIZE, 1 << 20, memory, Screening("1", 5, "0"))
        list(screen.judge(reveal([write_update(draw(seed))])))
        memory = screen.remember()
    assert (len(memory.known), memory.earlier, memory.rounds) == (3, (), 3)
