"""Gas of every operation on a real chain, at three sizes of a round, beside contracts that others publish on npm."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.environments import Environment, PeerMissing, node_environment
from bench.figures import GAS, Bar, Missing, at_most
from bench.onchain.challenges import measure_challenges, measure_commitment
from bench.onchain.peers import CUMULATIVE, PEERS
from bench.onchain.scheme import Claimants, Costs, measure, name_payout
from bench.onchain.stand import HARDFORK, Stand
from bench.onchain.tallystick import Tallystick
from bench.report import Report

SIZES = (10, 1_000, 100_000)
QUICK_SIZES = SIZES[:2]
BARRED = 1_000
"""The size that bars of claims are meant for: its tree has 1,024 leaves, a proof ten words."""

STORAGE = "the slots and the transfer that it writes, and 512 gas of calldata for each word of the proof"

REJECTION = "what the ledger writes (the job halted, a budget burned, the bond cut), two bodies of calldata at most"


@dataclass(frozen=True)
class Operation:
    """A figure made at every size.

    Attributes:
        name: as it is shown, before the size.
        cost: its name among the costs of a scheme.
        bar: what ours must reach at BARRED entries, or at every size.
        how: how it was measured.
    """

    name: str
    cost: str
    bar: Bar
    how: str
    everywhere: bool = False


SINGLE = "dearest of three claims, each a transaction"
OPERATIONS = (
    Operation("claim, first", "claim, first", at_most(107_000), f"{SINGLE}, all of the node's slots empty"),
    Operation("claim, repeat", "claim, repeat", at_most(73_000), f"{SINGLE}, by a node paid in the round before"),
    Operation("claimMany of ten, first, each", "ten claims, first", at_most(72_000), "a tenth of one transaction"),
    Operation("claimMany of ten, repeat, each", "ten claims, repeat", at_most(38_000), "a tenth of one transaction"),
    Operation(
        "anchoring a later round",
        "anchor, repeat",
        at_most(130_000),
        "postRound; the peers' move the round's tokens too, ours came into escrow with openJob",
        everywhere=True,
    ),
)


NOTES = (
    f"Gas is the `gasUsed` of receipts on anvil under {HARDFORK.capitalize()}'s rules; all pay in the same ERC-20.",
    "The peers' contracts are the compiled ones of their npm packages; the trees follow their own rules.",
    "Uniswap's and UMA's pay each round by a claim of its own; with us and Symbiotic one draws all rounds so far.",
    "Only ours asks a registry where a node is paid, so that a stolen node key redirects nothing (4,700 gas).",
    "Only Symbiotic's must be claimed by the node itself; only ours checks on chain when a round is final.",
    "Not run, as no npm package has their contracts: 1inch, Morpho URD, EigenLayer, Merkl, Prime Intellect, Gensyn.",
)


def run(report: Report) -> None:
    """Measures us and each peer at each size; every figure is the `gasUsed` of a receipt."""
    sizes = QUICK_SIZES if report.quick else SIZES
    modules = _install(report)
    with Stand.open() as stand:
        _report_transfers(report, stand)
        ours = {}
        for size in sizes:
            claimants = Claimants.among(size)
            report.say(f"{size:,} entries: sealing two rounds, posting, proving and claiming them")
            ours[size] = _measure_ours(stand, claimants)
            peers = {peer: _measure_peer(report, stand, claimants, peer, modules) for peer in PEERS}
            _report_operations(report, size, ours[size], peers)
            if size == BARRED:
                _report_ten_rounds(report, ours[size], peers)
        report.say("posting lies and proving them to the court")
        _report_challenges(report, stand)
    _report_rounds(report, ours)
    for note in NOTES:
        report.note(note)


def _install(report: Report) -> Environment | Missing:
    try:
        return node_environment("gas", report)
    except PeerMissing as error:
        return Missing(str(error))


def _measure_ours(stand: Stand, claimants: Claimants) -> Costs:
    with stand.undone():
        scheme = Tallystick(stand, claimants)
        costs = measure(stand, scheme, claimants)
        scheme.anchor(0)
        return costs | {
            "open a job": scheme.opening,
            "prove": scheme.prove(0),
            "proof words": scheme.rounds[0].tree.depth,
        }


def _measure_peer(
    report: Report, stand: Stand, claimants: Claimants, peer: str, environment: Environment | Missing
) -> Costs | Missing:
    if isinstance(environment, Missing):
        return environment
    report.say(f"{claimants.count:,} entries: {peer}")
    with stand.undone():
        return measure(stand, PEERS[peer](stand, claimants, environment.folder / "node_modules"), claimants)


def _report_transfers(report: Report, stand: Stand) -> None:
    with stand.undone():
        for kind in ("first", "repeat"):
            gas = stand.holder.spend(stand.gateway.calls.transfer(name_payout(0), 10**18 + 10**9 - 1))
            how = "for reference: what any payment costs, to an address without tokens, then again"
            report.add(f"plain ERC-20 transfer, {kind}", GAS, gas, how=how)


def _report_operations(report: Report, size: int, ours: Costs, peers: Mapping[str, Costs | Missing]) -> None:
    for operation in OPERATIONS:
        theirs = {
            peer: costs if isinstance(costs, Missing) else costs[operation.cost]
            for peer, costs in peers.items()
            if isinstance(costs, Missing) or operation.cost in costs
        }
        barred = operation.everywhere or size == BARRED
        report.add(
            f"{operation.name}, {size:,} entries",
            GAS,
            ours[operation.cost],
            peers=theirs,
            bar=operation.bar if barred else None,
            bound=STORAGE if barred else "",
            how=operation.how,
        )


def _report_ten_rounds(report: Report, ours: Costs, peers: Mapping[str, Costs | Missing]) -> None:
    """What it takes to draw ten rounds at their end: one claim where earnings add up, else one claim for each."""
    theirs = {
        peer: costs
        if isinstance(costs, Missing)
        else costs["claim, first"] + (0 if peer in CUMULATIVE else 9 * costs["claim, repeat"])
        for peer, costs in peers.items()
    }
    how = f"sum of the claims above that ten rounds of {BARRED:,} entries need: one here and with Symbiotic, else ten"
    report.add("a node paid for ten rounds at their end", GAS, ours["claim, first"], peers=theirs, how=how)


def _report_challenges(report: Report, stand: Stand) -> None:
    for lie, costs in measure_challenges(stand, Claimants.among(BARRED)).items():
        report.add(
            f"challenge: {lie}",
            GAS,
            costs["committed"],
            bar=at_most(110_000),
            bound=f"{REJECTION}, and the bounty credited",
            how=f"upheld, round of {BARRED:,} entries struck, by a sender who had committed to it (commitChallenge)",
        )
        report.add(
            f"challenge: {lie}, without an earlier commitment",
            GAS,
            costs["uncommitted"],
            bar=at_most(110_000),
            bound=f"{REJECTION}, and the slot in which the bounty waits",
            how="the same, upheld as well; the bounty waits in a slot of its own for whoever had committed",
        )
    report.add("commitChallenge", GAS, measure_commitment(stand), how="once for each fault that is to be rewarded")


def _report_rounds(report: Report, ours: Mapping[int, Costs]) -> None:
    least, most = min(ours), max(ours)
    words = ours[most]["proof words"] - ours[least]["proof words"]
    more = ours[most]["anchor, repeat"] - ours[least]["anchor, repeat"]
    report.add(
        f"anchoring, what each word of the proof adds from {least} to {most:,} entries",
        GAS,
        more / words,
        how=f"{words:g} words more, 512 gas of calldata each and its hash; nothing else grows with the round",
    )
    report.add(
        f"one contribution in a round of {BARRED:,}",
        GAS,
        ours[BARRED]["anchor, repeat"] / BARRED,
        bar=at_most(200),
        bound="the anchoring transaction",
        how="anchoring over contributions: each is then provable on chain by its entry, receipt and signatures",
    )
    for size, costs in ours.items():
        report.add(
            f"verifyContribution, {size:,} entries",
            GAS,
            costs["prove"],
            how="one contribution proven in a transaction: anchor, entry, contribution, receipt, both signatures",
        )
    report.add(
        "openJob", GAS, ours[BARRED]["open a job"], how="escrow of all rounds pulled, the bond locked; once a job"
    )
