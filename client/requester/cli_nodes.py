"""`tally job nodes`: who works on a job, and what became of each contribution of one node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from client.options import CoordinatorOption, JsonOption, contact
from client.requester.cli_show import JobArgument

if TYPE_CHECKING:
    from client.tokens import Unit
    from ledger.wire import JobHistory, NodeHistory, NodeWork

_ACCEPTED = "accepted"
_WORK_COLUMNS = (
    "node", "contributions", "accepted", "refused", "samples", "seconds", "loss", "score (nats)", "credit (nats)",
    "earned", "share", "claimed",
)  # fmt: skip
_LINE_COLUMNS = ("round", "state", "seq", "verdict", "weight", "score (nats)", "credit (nats)", "reward", "earned")


class Order(StrEnum):
    """What nodes are listed by, the most first."""

    EARNED = "earned"
    SCORE = "score"
    REFUSALS = "refusals"
    CONTRIBUTIONS = "contributions"


def nodes(
    job: JobArgument,
    node: Annotated[str | None, typer.Argument(metavar="NODE", help="Only this node, round by round.")] = None,
    sort: Annotated[Order, typer.Option("--sort", help="What nodes are listed by, the most first.")] = Order.EARNED,
    coordinator: CoordinatorOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who works on a job: verdicts, scores, credit and share of the pay of each node; or one node's history.

    Verdicts, scores, credit and pay are those of the entries, which `tally audit verify` checks. There is no
    reputation: of a node's past only its credit counts, and only in the same job, as the entries say.
    """
    from client import calls  # noqa: PLC0415
    from client.output import print_json, print_table  # noqa: PLC0415
    from client.tokens import TokenBook  # noqa: PLC0415
    from ledger.hexadecimal import parse_address, parse_hex  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    job_id = parse_hex(job, 32, "JOB")
    if node is not None:
        history = found.api.fetch(calls.history(parse_address(node, "NODE"), job_id))
        if as_json:
            print_json(history.model_dump(mode="json", by_alias=True))
        else:
            _print_history(history, TokenBook(found, settings.rpc).find_job_unit(job_id))
        return
    listed: list[NodeWork] = found.api.fetch(calls.job_nodes(job_id))
    work = order_work(listed, sort)
    if as_json:
        print_json([item.model_dump(mode="json", by_alias=True) for item in work])
        return
    print_table("Nodes", _WORK_COLUMNS, list_work(work, TokenBook(found, settings.rpc).find_job_unit(job_id)))


def order_work(work: Sequence[NodeWork], order: Order) -> list[NodeWork]:
    """The most first; equals by address."""
    keys: Mapping[Order, Callable[[NodeWork], int]] = {
        Order.EARNED: lambda item: item.earned,
        Order.SCORE: lambda item: item.score,
        Order.REFUSALS: lambda item: count_refusals(item.verdicts),
        Order.CONTRIBUTIONS: lambda item: item.contributions,
    }
    return sorted(work, key=lambda item: (-keys[order](item), item.node))


def count_refusals(verdicts: Mapping[str, int]) -> int:
    """How many entries have another verdict than accepted; a round that was void refused nobody."""
    return sum(count for name, count in verdicts.items() if name not in (_ACCEPTED, "void"))


def list_work(work: Sequence[NodeWork], unit: Unit) -> list[list[str]]:
    """A row for each node; its share is of all that nodes have earned in the job."""
    from ledger.hexadecimal import to_address  # noqa: PLC0415

    paid = sum(item.earned for item in work)
    return [
        [
            to_address(item.node),
            str(item.contributions),
            str(item.accepted),
            str(count_refusals(item.verdicts)),
            str(item.samples),
            f"{item.compute_seconds:.1f}",
            "–" if item.loss is None else f"{item.loss:.3f}",
            _write_nats(item.score),
            _write_nats(item.credit),
            unit.shorten(item.earned),
            f"{item.earned / paid:.1%}" if paid else "–",
            unit.shorten(item.claimed),
        ]
        for item in work
    ]


def describe_history(history: JobHistory, unit: Unit) -> dict[str, str]:
    """A node's sums in a job."""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(history.verdicts.items()))
    return {
        "title": history.title,
        "rounds": f"{history.first_round} to {history.last_round}" if history.last_round else "none that stands",
        "verdicts": counts or "none",
        "score": f"{_write_nats(history.score)} nats",
        "reward": unit.write(history.reward),
    }


def list_lines(history: JobHistory, unit: Unit) -> list[list[str]]:
    """A row for each round with an entry of the node."""
    return [
        [
            str(line.round),
            line.state,
            str(line.seq),
            line.verdict,
            str(line.weight),
            _write_nats(line.score),
            _write_nats(line.credit),
            unit.shorten(line.reward),
            unit.shorten(line.earned),
        ]
        for line in history.rounds
    ]


def _print_history(history: NodeHistory, unit: Unit) -> None:
    from client.output import print_pairs, print_table  # noqa: PLC0415

    for one in history.jobs:
        print_pairs(describe_history(one, unit))
        print_table("Rounds", _LINE_COLUMNS, list_lines(one, unit))
    if not history.jobs:
        typer.echo("this node has no entry in this job")


def _write_nats(score: int) -> str:
    from ledger.entry import SCORE_BITS  # noqa: PLC0415

    return f"{score / 2**SCORE_BITS:.6f}"
