"""One operator as five, and throwaway keys that send +v and −v: what they earn without vouchers, and with them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from client.demo.platform.register import NothingToVouch, Register
from learning.quantise import Update
from ledger.hexadecimal import to_hex
from ledger.statements import Contribution, Signed, Voucher
from ledger.vouching import find_unfit, weigh
from tests.unit.learning.identities import Market, address, split
from tests.unit.ledger.test_vouching import PLATFORM, VOUCHED
from tests.vectors.golden_job import JOB_LEDGER

HONEST = range(4)
ROUNDS = 3
JOB = b"\1" * 32
Weigh = Callable[[str, int, list[str]], int]
Sent = dict[str, tuple[Update, int]]


def weigh_equally(key: str, number: int, viewers: list[str]) -> int:
    del key, number, viewers
    return 1


def open_platform(folder: Path) -> Weigh:
    """What the platform's own register and the ledger's rule make of a key with these viewers, 120 views each."""
    register = Register(folder / "register.sqlite")

    def weigh_by_vouchers(key: str, number: int, viewers: list[str]) -> int:
        node = address(key)
        register.note_served(viewers, 0, 1)
        try:
            amount = register.vouch(JOB, number, node, viewers, lambda *_: 120)
        except NothingToVouch:
            return 0
        voucher = Voucher(JOB, number, node, amount.viewers, amount.samples)
        signed = Signed.issue(voucher, JOB_LEDGER, PLATFORM)
        made = Contribution(JOB, number, node, bytes(32), bytes(32), bytes(32), amount.samples, bytes(32))
        report = {"voucher": to_hex(voucher.digest(JOB_LEDGER))}
        assert not list(find_unfit(VOUCHED, made, report, signed, JOB_LEDGER))
        return weigh(VOUCHED, signed)

    return weigh_by_vouchers


@pytest.fixture
def vouch(tmp_path: Path) -> Weigh:
    return open_platform(tmp_path)


def name_viewers(owner: str, count: int = 10) -> list[str]:
    return [f"{owner}/{viewer}" for viewer in range(count)]


def play_honest(market: Market, weigh_key: Weigh) -> Sent:
    number = market.number + 1
    return {
        f"honest {node}": (market.train(node), weigh_key(f"honest {node}", number, name_viewers(f"{node}")))
        for node in HONEST
    }


def run_operator(weigh_key: Weigh, keys: int) -> Market:
    """Four honest nodes, and an operator with as much data as each of them, over so many keys."""
    market, viewers = Market(), name_viewers("operator")
    for _ in range(ROUNDS):
        sent = play_honest(market, weigh_key)
        for at, update in enumerate(split(market.train(4), keys)):
            key = f"operator {at}"
            sent[key] = (update, weigh_key(key, market.number + 1, viewers[at::keys]))
        market.play(sent)
    return market


def test_one_operator_as_five_gains_where_all_weigh_alike() -> None:
    """The weakness that vouchers are for: the same data under five keys is paid two and a half times as much."""
    one, five = run_operator(weigh_equally, 1), run_operator(weigh_equally, 5)
    assert five.sum_earned("operator") > 2 * one.sum_earned("operator")


def test_one_operator_as_five_gains_nothing_where_vouchers_weigh(tmp_path: Path) -> None:
    """Five keys hold a fifth of the viewers each: together they weigh and earn what one key does."""
    one, five = (run_operator(open_platform(make_folder(tmp_path / str(keys))), keys) for keys in (1, 5))
    assert five.sum_earned("operator") / one.sum_earned("operator") == pytest.approx(1, abs=0.01)


def test_the_same_viewers_under_five_keys_count_for_the_first(vouch: Weigh) -> None:
    viewers = name_viewers("operator")
    weights = [vouch(f"operator {at}", 1, viewers) for at in range(5)]
    assert weights == [100 * len(viewers), 0, 0, 0, 0]


def run_pairs(weigh_key: Weigh, *, fresh: bool, viewers: list[str], rounds: int = 4) -> tuple[Market, list[list[int]]]:
    """Honest nodes and two keys that send +v and −v: new ones every round, or the same ones throughout."""
    market, payments = Market(), []
    for number in range(1, rounds + 1):
        sent = play_honest(market, weigh_key)
        noise, turn = market.draw_noise(number), number if fresh else 0
        pair = [f"pair {turn} +", f"pair {turn} -"]
        for key, update, held in zip(pair, (noise, -noise), (viewers[::2], viewers[1::2]), strict=True):
            sent[key] = (update, weigh_key(key, number, held))
        paid = market.play(sent)
        payments.append([paid.get(key, 0) for key in pair])
    return market, payments


def test_throwaway_keys_that_send_v_and_minus_v_are_paid_where_all_weigh_alike() -> None:
    """The documented weakness of scores without stake or vouchers: whichever key won is paid, the other is left."""
    thrown, payments = run_pairs(weigh_equally, fresh=True, viewers=[])
    assert all(min(pair) == 0 < max(pair) for pair in payments)
    kept, _ = run_pairs(weigh_equally, fresh=False, viewers=[])
    # Who keeps the keys pays back what the losing one lost before it is paid again.
    assert kept.sum_earned("pair") < thrown.sum_earned("pair")


def test_throwaway_keys_without_viewers_cannot_enter_where_vouchers_weigh(vouch: Weigh) -> None:
    market, payments = run_pairs(vouch, fresh=True, viewers=[])
    assert payments == [[0, 0]] * 4
    assert market.sum_earned("pair") == 0 < market.sum_earned("honest")


def test_throwaway_keys_leave_their_viewers_with_the_debt(vouch: Weigh) -> None:
    """An operator with real viewers cannot move them from the key that lost: the next pair weighs nothing."""
    market, payments = run_pairs(vouch, fresh=True, viewers=name_viewers("operator"))
    assert max(payments[0]) > 0
    assert payments[1:] == [[0, 0]] * 3
    assert market.sum_earned("pair") == sum(payments[0])


def make_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder
