"""Laws of the tally over many rounds, checked by a stateful machine against sums kept aside."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.entry import Entry, Standing, Verdict
from ledger.tally import Judgement, Tally, compute_pot, compute_reward, compute_tally
from tests.property.ledger_values import NAT, judgements

NODES = [bytes([at]) * 20 for at in range(1, 7)]
AMOUNT = st.integers(0, 10**24)


class Job(RuleBasedStateMachine):
    """A job's rounds one after another; the machine keeps every score and reward beside the tallies."""

    def __init__(self) -> None:
        super().__init__()
        self.round = 0
        self.standings: dict[bytes, Standing] = {}
        self.scores: dict[bytes, list[int]] = {node: [] for node in NODES}
        self.rewards: dict[bytes, int] = dict.fromkeys(NODES, 0)
        self.last: dict[bytes, int] = dict.fromkeys(NODES, 0)
        self.spent = self.budgeted = 0

    @rule(data=st.data(), budget=AMOUNT, price=AMOUNT, skipped=st.integers(0, 2))
    def play_round(self, data: st.DataObject, budget: int, price: int, skipped: int) -> None:
        self.round += 1 + skipped
        judged = data.draw(judgements(NODES, self.round % 250))
        tally = compute_tally(budget, price, judged, self.standings, self.round)
        self.check_round(tally, budget, price)
        for entry in tally.entries:
            self.check_entry(entry)
        self.standings.update(tally.standings())
        self.spent += tally.totals.reward
        self.budgeted += budget

    def check_round(self, tally: Tally, budget: int, price: int) -> None:
        bodies = [entry.body for entry in tally.entries]
        totals = tally.totals
        assert totals.score == sum(body.score for body in bodies) == bodies[-1].running_score
        assert totals.gain == sum(body.gain for body in bodies) == bodies[-1].running_gain
        assert totals.reward == sum(body.reward for body in bodies) == bodies[-1].running_reward
        assert totals.weight == sum(body.weight for body in bodies) == bodies[-1].running_weight
        assert 0 <= totals.reward <= tally.pot <= budget
        assert tally.pot * NAT <= max(0, price * totals.score)
        # Rounding down keeps back less than one unit an entry.
        assert totals.gain == 0 or tally.pot - totals.reward < len(bodies)
        assert [entry.seq for entry in tally.entries] == list(range(len(bodies)))

    def check_entry(self, entry: Entry) -> None:
        body, node = entry.body, entry.node
        if body.verdict != Verdict.ACCEPTED:
            assert body.weight == body.score == body.gain == body.reward == 0
        assert body.previous_round == self.last[node] < self.round
        self.scores[node].append(body.score)
        self.rewards[node] += body.reward
        self.last[node] = self.round
        # Credit and its highest point, from the scores alone.
        sums: list[int] = [sum(self.scores[node][:at]) for at in range(len(self.scores[node]) + 1)]
        assert (body.credit, body.peak) == (sums[-1], max(sums))
        assert entry.earned == self.rewards[node]

    @invariant()
    def nothing_is_paid_beyond_the_budgets(self) -> None:
        assert self.spent == sum(self.rewards.values()) <= self.budgeted

    @invariant()
    def the_newest_entry_holds_all_a_node_earned(self) -> None:
        assert all(self.standings[node].earned == self.rewards[node] for node in self.standings)


TestJob = Job.TestCase


@given(scores=st.lists(st.integers(-2 * NAT, 2 * NAT), min_size=1, max_size=8))
def test_whoever_ends_in_debt_was_paid_for_the_peak_only(scores: list[int]) -> None:
    """Σ gain = max(0, highest running score): what is lost again and won back is not paid twice."""
    standings: dict[bytes, Standing] = {}
    gains = 0
    for number, score in enumerate(scores, start=1):
        judged = Judgement(NODES[0], bytes([number]) * 32, bytes(32), Verdict.ACCEPTED, 1, score)
        tally = compute_tally(10**18, 10**18, [judged], standings, number)
        standings = tally.standings()
        gains += tally.totals.gain
    assert gains == max(0, *(sum(scores[:at]) for at in range(len(scores) + 1)), 0)


@given(pot=AMOUNT, gains=st.lists(st.integers(0, 10 * NAT), min_size=1, max_size=9))
def test_rewards_are_monotone_and_within_the_pot(pot: int, gains: list[int]) -> None:
    """Gain ≤ gain' ⇒ reward ≤ reward', equal gains get equal rewards, and Σ reward ≤ pot."""
    total = sum(gains)
    rewards = [compute_reward(pot, gain, total) for gain in gains]
    assert sum(rewards) <= pot
    by_gain = sorted(zip(gains, rewards, strict=True))
    assert [reward for _, reward in by_gain] == sorted(rewards)
    assert all(reward == 0 for gain, reward in by_gain if gain == 0)


@given(pot=AMOUNT, gain=st.integers(1, 10 * NAT), others=st.integers(0, 10 * NAT), cut=st.fractions(0, 1))
def test_splitting_a_gain_over_identities_wins_nothing(pot: int, gain: int, others: int, cut: Fraction) -> None:
    """reward(a) + reward(b) ≤ reward(a + b)."""
    part = int(gain * cut)
    total = gain + others
    split = compute_reward(pot, part, total) + compute_reward(pot, gain - part, total)
    assert split <= compute_reward(pot, gain, total)


@given(
    budget=AMOUNT,
    price=AMOUNT,
    score=st.integers(-10 * NAT, 10 * NAT),
    gain=st.integers(0, 10 * NAT),
    more=st.tuples(st.integers(0, NAT), st.integers(0, NAT)),
)
def test_pot_follows_the_improvement(budget: int, price: int, score: int, gain: int, more: tuple[int, int]) -> None:
    """Score ≤ score' and gain ≤ gain' ⇒ pot ≤ pot' ≤ budget, and no improvement, no pot."""
    pot = compute_pot(budget, price, score, gain)
    assert pot <= compute_pot(budget, price, score + more[0], gain + more[1]) <= budget
    assert score > 0 or pot == 0


@given(
    budget=AMOUNT,
    price=AMOUNT,
    score=st.integers(-10 * NAT, 10 * NAT),
    gains=st.lists(st.integers(0, NAT), min_size=1, max_size=9),
)
def test_nobody_is_paid_more_than_the_price_of_a_gain(budget: int, price: int, score: int, gains: list[int]) -> None:
    """A round that mostly makes good earlier losses hands its pot to no key that came with less."""
    pot = compute_pot(budget, price, score, sum(gains))
    assert all(compute_reward(pot, gain, sum(gains)) * NAT <= price * gain for gain in gains)
