"""How far ahead of the chain a node works for a job: what a coordinator owes must cost it more than not paying."""

from __future__ import annotations

from client.node.work.host import Host
from ledger.wire import CommitAssignment


async def find_limit(host: Host, node: bytes, work: CommitAssignment) -> str | None:
    """Why a node contributes nothing to this job for now: too many rounds wait for their anchor. None when it may.

    Raises:
        VerificationError, CoordinatorRefused: the job, or an anchor, is not what it must be.
    """
    job = await host.book.fetch_job(work.job)
    limit = min(host.rules.max_ahead, job.count_covered())
    if limit == 0:
        return "the coordinator's bond does not cover one round's budget: a round that is never anchored costs it less"
    unanchored = host.archive.list_unanchored(node, work.job)
    if 2 * len(unanchored) >= limit:
        await host.book.refresh_anchors(work.job, unanchored)
        unanchored = host.archive.list_unanchored(node, work.job)
    if len(unanchored) < limit:
        return None
    return f"{len(unanchored)} rounds wait for their anchor on chain, at most {limit} may (TALLY_MAX_AHEAD, bond)"
