"""The lies: one for each fault of DESIGN §6, told about any place of a round, everything else made to fit.

(More names than usual, and more than 300 lines: this is the one list.)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ledger import evidence
from ledger.evidence import OpenedClosing, ReportedContribution
from ledger.faults.case import Promises
from ledger.faults.faults import (
    CarryUnfounded,
    CarryWrong,
    ClosingDiffers,
    ClosingExceeded,
    ClosingsConflict,
    ContributionAltered,
    CountedTwice,
    EntrySkipped,
    Fault,
    FirstReceiptBroken,
    FirstTotalsWrong,
    HeaderReplaced,
    HeadersConflict,
    LastReceiptBroken,
    ModelBroken,
    ReceiptDropped,
    ReceiptReplaced,
    ReceiptsBroken,
    ReceiptsConflict,
    RewardWrong,
    SignaturesFalse,
    TotalsWrong,
    VerdictUnfit,
)
from ledger.signatures import Signer
from ledger.statements import Signed
from ledger.tree import Leaf
from tests.dishonest.draft import Draft, pad

STRANGER = Signer(b"\x55" * 32)
OTHER = b"\x99" * 32


@dataclass(frozen=True)
class Lie:
    """A way to bend a draft at `seq`.

    Attributes:
        faults: one of these must be found; none of them where only an unanswered demand proves it.
        everywhere: whether it can be told about every place, or about the round as a whole.
        first_round: the first round in which it can be told.
    """

    name: str
    tell: Callable[[Draft, int], None]
    faults: tuple[type[Fault], ...]
    everywhere: bool = True
    first_round: int = 1

    def __str__(self) -> str:
        return self.name


def omit(draft: Draft, seq: int) -> None:
    """A contribution is dropped, and all that is published fits without it; its node keeps its receipt."""
    draft.told = Promises(receipts=(draft.receipts[seq],))
    del draft.entries[seq], draft.contributions[seq]
    for place in range(seq, len(draft.entries)):
        draft.renumber(place)
    draft.promise_again()
    draft.pay()


def replace_contribution(draft: Draft, seq: int) -> None:
    """An entry names another contribution than the receipt."""
    draft.change_entry(seq, contribution=OTHER)


def promise_twice(draft: Draft, seq: int) -> None:
    """Somebody else holds a receipt for the same place."""
    other = replace(draft.receipts[seq].statement, node=STRANGER.address, contribution=OTHER)
    draft.told = Promises(receipts=(draft.sign_receipt(other),))


def give_two_places(draft: Draft, seq: int) -> None:
    """The node holds another receipt for the same contribution, at another place."""
    other = replace(draft.receipts[seq].statement, seq=(seq + 1) % len(draft.receipts))
    draft.told = Promises(receipts=(draft.sign_receipt(other),))


def close_twice(draft: Draft, seq: int) -> None:
    """Nodes were shown a closing with another seed."""
    del seq
    other = replace(draft.closing.signed.statement, seed_digest=OTHER)
    draft.told = Promises(closings=(draft.sign_closing(other),))


def sign_two_headers(draft: Draft, seq: int) -> None:
    """The header that is handed out is not the one on chain."""
    del seq
    draft.publish()
    draft.shown = replace(draft.header, next_model=OTHER)


def close_differently(draft: Draft, seq: int) -> None:
    """The closing names another last accumulator than the header."""
    del seq
    closing = replace(draft.closing.signed.statement, accumulator=OTHER)
    draft.closing = OpenedClosing(draft.sign_closing(closing), draft.closing.seed)


def take_late(draft: Draft, seq: int) -> None:
    """The closing that nodes were shown ends before this place."""
    shorter = replace(draft.closing.signed.statement, count=seq)
    draft.closing = OpenedClosing(draft.sign_closing(shorter), draft.closing.seed)


def break_receipt(draft: Draft, seq: int) -> None:
    """A receipt continues another history; what follows it continues the true one."""
    receipt = replace(draft.receipts[seq].statement, accumulator=OTHER)
    draft.receipts[seq] = draft.sign_receipt(receipt)
    draft.name_signatures()


def end_elsewhere(draft: Draft, seq: int) -> None:
    """Header and closing end another history than the last receipt."""
    del seq
    draft.header = replace(draft.header, accumulator=OTHER)
    draft.close_again()


def start_elsewhere(draft: Draft, seq: int) -> None:
    """The round starts from a model that nobody was told of."""
    del seq
    draft.header = replace(draft.header, base_model=OTHER)


def alter(draft: Draft, seq: int) -> None:
    """A contribution for another history is counted, with its node's signature of that one."""
    item = draft.contributions[seq]
    made = replace(item.signed.statement, parent=OTHER)
    draft.contributions[seq] = ReportedContribution(Signed.issue(made, draft.domain, STRANGER), item.report)
    draft.promise_again()


def invent(draft: Draft, seq: int) -> None:
    """A contribution was signed by somebody else than its node."""
    item = draft.contributions[seq]
    made = replace(item.signed.statement, samples=item.signed.statement.samples + 1)
    draft.contributions[seq] = ReportedContribution(Signed.issue(made, draft.domain, STRANGER), item.report)
    draft.promise_again()


def count_twice(draft: Draft, seq: int) -> None:
    """A node has a second entry, with the same contribution, at the end."""
    entry = draft.entries[seq]
    draft.entries.append(replace(entry, seq=len(draft.entries)))
    draft.contributions.append(draft.contributions[seq])
    draft.promise_again()
    draft.pay()


def miscount(draft: Draft, seq: int) -> None:
    """The running score is higher than the sum from this entry on."""
    for place in range(seq, len(draft.entries)):
        draft.change_entry(place, running_score=draft.entries[place].body.running_score + 1)
    draft.read_totals()


def overpay(draft: Draft, seq: int) -> None:
    """A node gets a base unit more than the formula gives."""
    entry = draft.entries[seq]
    draft.change_entry(seq, reward=entry.body.reward + 1, earned=entry.earned + 1)
    draft.add_up()


def misjudge(draft: Draft, seq: int) -> None:
    """A refused contribution keeps weight and score."""
    draft.change_entry(seq, verdict=4, weight=1)
    draft.add_up()


def invent_verdict(draft: Draft, seq: int) -> None:
    """A verdict that the protocol does not have."""
    draft.change_entry(seq, verdict=10, weight=0, score=0)


def enrich(draft: Draft, seq: int) -> None:
    """A node's earned is more than all its rewards."""
    draft.change_entry(seq, earned=draft.entries[seq].earned + 10**18)


def forgive(draft: Draft, seq: int) -> None:
    """A node's debt is forgiven: its credit is higher than it may be."""
    draft.change_entry(seq, credit=draft.entries[seq].body.credit + 5)


def raise_peak(draft: Draft, seq: int) -> None:
    """A node's peak is higher than it may be, so that it gains less later."""
    draft.change_entry(seq, peak=draft.entries[seq].body.peak + 7)


def forget(draft: Draft, seq: int) -> None:
    """A node starts anew, as if it had no entry before."""
    body = draft.entries[seq].body
    gain = max(0, body.score)
    draft.change_entry(seq, previous_round=0, credit=body.score, peak=gain, gain=gain)
    draft.change_entry(seq, earned=body.reward)
    draft.add_up()


def stand_on_the_future(draft: Draft, seq: int) -> None:
    """An entry names a round before that is not before."""
    draft.change_entry(seq, previous_round=draft.header.round)


def keep_back(draft: Draft, seq: int) -> None:
    """Nothing but the header is handed out."""
    del seq
    draft.kept_back = frozenset((*evidence.ALWAYS, *evidence.ARRAYS))


def sign_nothing(draft: Draft, seq: int) -> None:
    """An entry names signatures that nobody is shown."""
    draft.change_entry(seq, signatures=OTHER)


def hide_leaf(draft: Draft, seq: int) -> None:
    """A padding leaf is an entry that pays a stranger; what is published looks whole."""
    del seq
    leaves = pad([entry.leaf() for entry in draft.entries])
    leaves[-1] = Leaf(len(leaves) - 1, STRANGER.address, 10**18, OTHER)
    draft.leaves = leaves
    draft.kept_back = frozenset((evidence.TREE,))


def hide_double(draft: Draft, seq: int) -> None:
    """A second leaf of one place stands where a padding leaf should."""
    leaves = pad([entry.leaf() for entry in draft.entries])
    second = replace(draft.entries[seq], earned=draft.entries[seq].earned + 1)
    leaves[-1] = second.leaf()
    draft.leaves = leaves
    draft.entries.append(second)


def sign_another_header(draft: Draft, seq: int) -> None:
    """Somebody holds another signed header of the round."""
    del seq
    draft.publish()
    other = replace(draft.header, next_model=OTHER)
    draft.told = Promises(headers=(Signed.issue(other, draft.domain, draft.coordinator),))


def void_one(draft: Draft, seq: int) -> None:
    """One entry is void in a round that is not."""
    draft.change_entry(seq, verdict=9, weight=0, score=0)
    draft.add_up()


def learn_from_nothing(draft: Draft, seq: int) -> None:
    """Nothing was accepted, and the model changed."""
    del seq
    for place in range(len(draft.entries)):
        body = draft.entries[place].body
        draft.change_entry(place, verdict=4, weight=0, score=0, credit=body.credit - body.score)
    draft.add_up()


_CARRY = (CarryWrong, CarryUnfounded)

LIES = (
    Lie("omit", omit, (ReceiptReplaced, ReceiptDropped)),
    Lie("replace contribution", replace_contribution, (ReceiptReplaced,)),
    Lie("promise twice", promise_twice, (ReceiptsConflict,)),
    Lie("give two places", give_two_places, (ReceiptsConflict,)),
    Lie("break receipt", break_receipt, (ReceiptsBroken, FirstReceiptBroken)),
    Lie("end elsewhere", end_elsewhere, (LastReceiptBroken,), everywhere=False),
    Lie("close twice", close_twice, (ClosingsConflict,), everywhere=False),
    Lie("take late", take_late, (ClosingExceeded,)),
    Lie("close differently", close_differently, (ClosingDiffers,), everywhere=False),
    Lie("sign another header", sign_another_header, (HeadersConflict,), everywhere=False),
    Lie("sign two headers", sign_two_headers, (HeaderReplaced,), everywhere=False),
    Lie("start elsewhere", start_elsewhere, (ModelBroken,), everywhere=False, first_round=2),
    Lie("learn from nothing", learn_from_nothing, (ModelBroken,), everywhere=False),
    Lie("alter", alter, (ContributionAltered,)),
    Lie("invent", invent, (SignaturesFalse,)),
    Lie("count twice", count_twice, (CountedTwice,)),
    Lie("hide double", hide_double, (CountedTwice,)),
    Lie("miscount", miscount, (TotalsWrong, FirstTotalsWrong)),
    Lie("void one", void_one, (TotalsWrong,)),
    Lie("misjudge", misjudge, (VerdictUnfit,)),
    Lie("invent verdict", invent_verdict, (VerdictUnfit,)),
    Lie("overpay", overpay, (RewardWrong,)),
    Lie("enrich", enrich, _CARRY),
    Lie("forgive", forgive, _CARRY),
    Lie("raise peak", raise_peak, _CARRY),
    Lie("stand on the future", stand_on_the_future, (CarryUnfounded,)),
    Lie("forget", forget, (EntrySkipped,), first_round=2),
    Lie("keep back", keep_back, (), everywhere=False),
    Lie("sign nothing", sign_nothing, ()),
    Lie("hide leaf", hide_leaf, (), everywhere=False),
)
