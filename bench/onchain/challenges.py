"""What it takes to show a fault to the court: one lie at a time, posted and challenged within its window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from bench.onchain.scheme import Claimants, Costs
from bench.onchain.stand import Stand
from bench.onchain.tallystick import SealedRound, Tallystick
from contracts.artifacts import load_artifact
from contracts.transactions import Call
from ledger.entry import Entry
from ledger.hashing import keccak256
from ledger.statements import Receipt, Signed

SALT = keccak256(b"salt")


class Fault(IntEnum):
    """Kinds of fault as IChallengeCourt numbers them."""

    RECEIPT_REPLACED = 1
    RECEIPT_DROPPED = 2
    RECEIPTS_CONFLICT = 4
    TOTALS_WRONG = 18
    REWARD_WRONG = 20


@dataclass(frozen=True)
class Lie:
    """A fault and its proof.

    Attributes:
        fault: its kind.
        sealed: the round that was posted.
        function: of the court.
        exhibits: the function's arguments between the posted round and the salt.
        subject: what the fault is about, as its id names it.
    """

    fault: Fault
    sealed: SealedRound
    function: str
    exhibits: Sequence[object]
    subject: bytes


def measure_challenges(stand: Stand, claimants: Claimants) -> dict[str, Costs]:
    """Gas of each kind of proof at a round's size: `committed` to before, and `uncommitted`, when the bounty waits."""
    costs: dict[str, Costs] = {}
    with stand.undone():
        scheme = Tallystick(stand, claimants)
        for name, tell in LIES.items():
            lie = tell(scheme, claimants)
            costs[name] = {
                "committed": _prove(stand, scheme, lie, committed=True),
                "uncommitted": _prove(stand, scheme, lie, committed=False),
            }
    return costs


def measure_commitment(stand: Stand) -> int:
    """Gas of `commitChallenge`."""
    with stand.undone():
        return stand.stranger.spend(_call(stand, "commitChallenge", keccak256(b"commitment")))


def _call(stand: Stand, function: str, *arguments: object) -> Call:
    data = load_artifact("ChallengeCourt").interface.encode_call(function, arguments)
    return Call(stand.gateway.deployment.challenge_court, data, 0, f"ChallengeCourt.{function}")


def _commit(stand: Stand, lie: Lie) -> None:
    court, address = load_artifact("ChallengeCourt").interface, stand.gateway.deployment.challenge_court
    header = lie.sealed.header
    (fault,) = stand.ask(court, address, "hashFault", int(lie.fault), header.job, header.round, lie.subject)
    (commitment,) = stand.ask(court, address, "hashCommitment", stand.stranger.address, fault, SALT)
    stand.stranger.spend(_call(stand, "commitChallenge", commitment))
    stand.pass_time(1)


def _prove(stand: Stand, scheme: Tallystick, lie: Lie, *, committed: bool) -> int:
    header = lie.sealed.header
    with stand.undone():
        scheme.post(lie.sealed)
        if committed:
            _commit(stand, lie)
        posted = (header.job, header.round, scheme.find_anchor(header).values())
        return stand.stranger.spend(_call(stand, lie.function, posted, *lie.exhibits, SALT))


def _contradict(scheme: Tallystick, claimants: Claimants) -> Lie:
    """Two receipts for one seq."""
    one = scheme.rounds[0].pair.receipt
    other = scheme.issue(replace(one.statement, contribution=keccak256(b"another"), node=claimants.name_node(0)))
    domain = scheme.domain
    subject = _pair(one.statement.digest(domain), other.statement.digest(domain))
    exhibits = (_signed(one), _signed(other))
    return Lie(Fault.RECEIPTS_CONFLICT, scheme.rounds[0], "challengeReceipts", exhibits, subject)


def _miscount(scheme: Tallystick, claimants: Claimants) -> Lie:
    """Two neighbours whose running totals do not follow."""
    seq = claimants.singles[1]
    entry = scheme.rounds[0].tally.entries[seq]
    wrong = replace(entry, body=replace(entry.body, running_weight=entry.body.running_weight + 1))
    sealed = scheme.reseal(wrong)
    exhibits = (_proven(sealed, seq - 1), _proven(sealed, seq))
    return Lie(Fault.TOTALS_WRONG, sealed, "challengeTotals", exhibits, wrong.leaf_hash())


def _overpay(scheme: Tallystick, claimants: Claimants) -> Lie:
    """An entry whose reward the formula does not give."""
    seq = claimants.singles[1]
    entry = scheme.rounds[0].tally.entries[seq]
    wrong = replace(entry, earned=entry.earned + 1, body=replace(entry.body, reward=entry.body.reward + 1))
    sealed = scheme.reseal(wrong)
    exhibits = (sealed.header.values(), scheme.terms.values(), _proven(sealed, seq))
    return Lie(Fault.REWARD_WRONG, sealed, "challengeReward", exhibits, wrong.leaf_hash())


def _replace(scheme: Tallystick, claimants: Claimants) -> Lie:
    """A receipt whose place holds another contribution."""
    seq = claimants.singles[1]
    promised = scheme.rounds[0].pair.receipt.statement
    receipt = scheme.issue(replace(promised, seq=seq))
    exhibits = (_signed(receipt), _proven(scheme.rounds[0], seq))
    subject = receipt.statement.digest(scheme.domain)
    return Lie(Fault.RECEIPT_REPLACED, scheme.rounds[0], "challengeReplaced", exhibits, subject)


def _drop(scheme: Tallystick, claimants: Claimants) -> Lie:
    """A receipt beyond the round's count."""
    receipt = scheme.issue(replace(scheme.rounds[0].pair.receipt.statement, seq=claimants.count))
    subject = receipt.statement.digest(scheme.domain)
    return Lie(Fault.RECEIPT_DROPPED, scheme.rounds[0], "challengeDropped", (_signed(receipt),), subject)


LIES: dict[str, Callable[[Tallystick, Claimants], Lie]] = {
    "equivocation (two receipts)": _contradict,
    "neighbours (running totals)": _miscount,
    "formula (reward)": _overpay,
    "omission (another entry in its place)": _replace,
    "omission (no such entry)": _drop,
}


def _signed(receipt: Signed[Receipt]) -> tuple[object, ...]:
    return receipt.statement.values(), receipt.signature


def _proven(sealed: SealedRound, seq: int) -> tuple[object, ...]:
    item = sealed.make_item(seq)
    entry: Entry = item.entry
    return (entry.seq, entry.node, entry.earned, entry.body.values()), item.proof


def _pair(one: bytes, other: bytes) -> bytes:
    return keccak256(min(one, other) + max(one, other))
