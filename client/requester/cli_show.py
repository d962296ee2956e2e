"""`tally job list`, `show` and `watch`."""

from __future__ import annotations

from typing import Annotated

import typer

from client.options import CoordinatorOption, JsonOption, contact

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, 0x….")]


def list_jobs(coordinator: CoordinatorOption = None, as_json: JsonOption = False) -> None:
    """List the coordinator's jobs, newest first."""
    from client import calls  # noqa: PLC0415
    from client.output import print_json, print_table  # noqa: PLC0415
    from client.tokens import TokenBook  # noqa: PLC0415
    from ledger.hexadecimal import to_hex  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    views = found.api.fetch(calls.jobs())
    if as_json:
        print_json([view.model_dump(mode="json", by_alias=True) for view in views])
        return
    book = TokenBook(found, settings.rpc)
    rows = [
        [
            to_hex(view.job),
            view.title,
            view.state,
            f"{view.rounds_sealed} of {view.terms.rounds}",
            str(view.rounds_final),
            book.find_unit(view.terms.token).shorten(view.spent),
        ]
        for view in views
    ]
    print_table("Jobs", ["job", "title", "state", "sealed", "final", "spent"], rows)


def show(job: JobArgument, coordinator: CoordinatorOption = None, as_json: JsonOption = False) -> None:
    """Show a job: its terms, where it stands, and its rounds."""
    from client import calls  # noqa: PLC0415
    from client.output import format_time, print_json, print_pairs, print_table  # noqa: PLC0415
    from client.requester.rules import describe_rules  # noqa: PLC0415
    from client.tokens import TokenBook  # noqa: PLC0415
    from ledger.errors import VerificationError  # noqa: PLC0415
    from ledger.hexadecimal import parse_hex, to_address, to_hex  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    job_id = parse_hex(job, 32, "JOB")
    view, rounds = found.api.fetch(calls.job(job_id)), found.api.fetch(calls.rounds(job_id))
    if as_json:
        listed = [item.model_dump(mode="json", by_alias=True) for item in rounds]
        print_json({"job": view.model_dump(mode="json", by_alias=True), "rounds": listed})
        return
    terms, spec = view.terms, found.api.fetch(calls.spec(job_id))
    if spec.digest() != terms.spec_digest:
        raise VerificationError("spec-digest", "the coordinator shows another spec", terms.spec_digest, spec.digest())
    unit = TokenBook(found, settings.rpc).find_unit(terms.token)
    print_pairs(
        {
            "job": to_hex(view.job),
            "title": view.title,
            "state": f"{view.state} ({view.detail})",
            "requester": to_address(terms.requester),
            "budget": f"{unit.write(terms.budget_per_round)} a round, {terms.rounds} rounds",
            "price": f"{unit.write(terms.price_per_nat)} for each "
            + ("unit of weight" if spec.scoring_rule == "by-weight" else "nat"),
            "spent": unit.write(view.spent),
            "bond": unit.write(terms.bond),
            "window": f"{terms.window} s",
            **describe_rules(spec, terms, unit),
            "model": to_hex(view.model),
            "created": format_time(view.created_at),
        }
    )
    columns = ["round", "state", "committed", "revealed", "accepted", "pot", "paid", "void"]
    table = [
        [
            str(item.round),
            item.state,
            str(item.committed),
            str(item.revealed),
            "–" if item.accepted is None else str(item.accepted),
            "–" if item.pot is None else unit.shorten(item.pot),
            "–" if item.total_reward is None else unit.shorten(item.total_reward),
            item.void or "",
        ]
        for item in rounds
    ]
    if table:
        print_table("Rounds", columns, table)


def watch(job: JobArgument, coordinator: CoordinatorOption = None, as_json: JsonOption = False) -> None:
    """Follow a job live until its last round is final. With --json, one event a line."""
    import json  # noqa: PLC0415
    import sys  # noqa: PLC0415

    from client.contact import StderrRemarks  # noqa: PLC0415
    from client.events import follow_job  # noqa: PLC0415
    from client.requester.watching import list_events, show_live  # noqa: PLC0415
    from client.tokens import TokenBook  # noqa: PLC0415
    from client.transport import Patience  # noqa: PLC0415
    from ledger.hexadecimal import parse_hex  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    job_id = parse_hex(job, 32, "JOB")
    events = follow_job(found.api, job_id, Patience(attempts=None), StderrRemarks())
    if not as_json:
        show_live(events, TokenBook(found, settings.rpc).find_job_unit(job_id))
        return
    for event in list_events(events):
        kind = type(event).__name__.removesuffix("View").removesuffix("Line").lower()
        line = {"event": kind, "data": event.model_dump(mode="json", by_alias=True)}
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
        sys.stdout.flush()
