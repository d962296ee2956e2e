"""Whether a cohort's draw was over the nodes that the chain knew, all of them and no others."""

from __future__ import annotations

from client.auditor.checks import POPULATION_CHECKS
from client.auditor.evidence.registry import RegisteredNode, Registry
from ledger.draw import Draw, compute_draw_seed, find_earliest, order_nodes
from ledger.errors import show
from ledger.verify.bundle import AuditedJob, History, RoundEvidence
from ledger.verify.results import Findings, Result

_CHECK = "cohort-population"

NO_REGISTRY = "who was registered is told by the chain's events, which a bundle does not hold"


def audit_population(
    job: AuditedJob, history: History, read: RoundEvidence, registry: Registry | None, posted: int | None, gap: str = ""
) -> list[Result]:
    """Answers for the population of the round after `history`.

    1. The block that the coordinator names is of this chain, not from before the job and not out of date, also where
    nothing was drawn: two rounds later it decides who is late. 2. The seed of round 1 follows from the block that
    opened the job. 3. If nodes were drawn, those listed are all that had such a place; if not, they were registered.
    4. So were those who joined later.

    Args:
        job: its terms and spec.
        history: the rounds before.
        read: the round.
        registry: what the chain says, None where it could not be read, as `gap` tells.
        posted: the block that the round was posted in; None where it is not.
        gap: why there is no registry.
    """
    findings = Findings(read.round)
    if registry is None or read.draw is None:
        findings.leave(_CHECK, (gap or NO_REGISTRY) if registry is None else "draw.json could not be read")
        return findings.answer(POPULATION_CHECKS)
    last = registry.through if posted is None else posted
    # 1.
    if _is_known(history, read.draw, registry, findings):
        _verify_age(job, read, read.draw, registry, findings)
        _verify_since(read.draw, registry, findings)
        # 2.
        if history.round == 0:
            _verify_first_seed(job, read.draw, registry, findings)
        # 3.
        if read.draw.drawn:
            _verify_places(job, history, read.draw, registry, findings)
        else:
            _verify_registered(job, history, read.draw, registry, last, read.draw.admitted, findings)
        # 4.
        _verify_registered(job, history, read.draw, registry, last, read.draw.joined, findings)
    return findings.answer(POPULATION_CHECKS)


def _is_known(history: History, draw: Draw, registry: Registry, findings: Findings) -> bool:
    """A chain that reorganised deeper than the coordinator's confirmations cannot be asked any more."""
    if not history.complete:
        findings.leave(_CHECK, "who has a past in this job is not known: entries of an earlier round could not be read")
        return False
    if draw.block > registry.through:
        findings.leave(
            _CHECK, f"nodes were drawn at block {draw.block}, which is newer than what was read of the chain"
        )
        return False
    block = registry.find_block(draw.block)
    if block is None or block.hash != draw.block_hash:
        detail = f"block {draw.block}, at which the coordinator says that it knew nodes, is not on this chain"
        findings.leave(_CHECK, detail)
        return False
    return True


def _verify_age(job: AuditedJob, read: RoundEvidence, draw: Draw, registry: Registry, findings: Findings) -> None:
    """A coordinator that stays behind keeps newcomers out. How far it may: as long as an outage may last."""
    following = registry.find_block(draw.block + 1)
    if read.head is not None and following is not None:
        earliest = read.head.opened_at - job.terms.anchor_seconds
        if following.timestamp < earliest:
            detail = f"nodes were known up to block {draw.block}, which was long out of date"
            findings.fail(_CHECK, detail, None, f"the next block at {earliest} or later", f"at {following.timestamp}")


def _verify_since(draw: Draw, registry: Registry, findings: Findings) -> None:
    if registry.opened is None:
        findings.leave(_CHECK, "the block that opened the job was not found")
    elif draw.block < registry.opened[0]:
        detail = "nodes were known up to a block from before the job"
        findings.fail(_CHECK, detail, None, f"{registry.opened[0]} or later", f"{draw.block}")


def _verify_first_seed(job: AuditedJob, draw: Draw, registry: Registry, findings: Findings) -> None:
    if registry.opened is None:
        return  # `_verify_since` has said so
    expected = compute_draw_seed(job.id, 1, registry.opened[1])
    findings.expect(_CHECK, expected, draw.seed, "the seed does not follow from the block that opened the job")


def _verify_places(job: AuditedJob, history: History, draw: Draw, registry: Registry, findings: Findings) -> None:
    earliest = find_earliest(history.blocks, registry.opened[0]) if registry.opened else None
    if earliest is None:
        findings.leave(_CHECK, "the block up to which registrations count as early is not known")
        return
    if registry.gap:
        findings.leave(_CHECK, registry.gap)
        return
    past = frozenset(history.standings)
    eligible = {
        node: one for node, one in registry.read_at(draw.block).items() if one.is_eligible(job.terms.min_stake, past)
    }
    late = {node for node, one in eligible.items() if one.block > earliest}
    for node in draw.placed:
        if node not in eligible:
            findings.fail(_CHECK, "a node had a place that had none on chain", None, None, show(node))
    findings.expect(_CHECK, len(eligible), draw.population, f"so many nodes could join as of block {draw.block}")
    order = order_nodes(draw.seed, eligible, late)[: len(draw.placed)]
    for expected, got in zip(order, draw.placed, strict=False):
        if not findings.expect(_CHECK, show(expected), show(got), "another node has the place"):
            break
    told = {node for node in order if node in late}
    findings.expect(_CHECK, told, set(draw.late), "others than these registered after the seed could be known")
    findings.note(_CHECK, len(order), f"{len(order)} places of {len(eligible)}, as of block {draw.block}")


def _verify_registered(
    job: AuditedJob,
    history: History,
    draw: Draw,
    registry: Registry,
    last: int,
    wanted: tuple[bytes, ...],
    findings: Findings,
) -> None:
    """Each was registered and had the stake at some time from the draw's block to `last`."""
    missing, past = set(wanted), frozenset(history.standings)
    for nodes in registry.read_each(draw.block, last):
        if not missing:
            break
        missing -= {node for node in missing if _may_join(nodes.get(node), job.terms.min_stake, past)}
    if missing and registry.gap:
        findings.leave(_CHECK, registry.gap)
        return
    for node in sorted(missing):
        findings.fail(_CHECK, "the node could not join: not registered, or less stake", None, None, show(node))
    findings.note(_CHECK, max(1, len(wanted)))


def _may_join(node: RegisteredNode | None, min_stake: int, past: frozenset[bytes]) -> bool:
    return node is not None and node.is_eligible(min_stake, past)
