"""Entries and trees that lie: whatever the coordinator makes anew around them, the check that owns the lie fails."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger import canonical, evidence
from ledger.entry import Entry, Verdict
from ledger.statements import RoundHeader
from ledger.tree import PaddedTree
from ledger.verify.bundle import RoundFiles
from tests.simulated.audit import CHANGES, audit_round, find, play_three
from tests.simulated.job import SimulatedJob

ROUND = 2


def get_round() -> tuple[SimulatedJob, RoundFiles]:
    job = play_three()
    return job, job.rounds[ROUND - 1].bundle


def lie(change: Callable[[list[Entry]], None], head: Callable[[RoundHeader], RoundHeader] | None = None) -> set[str]:
    """Changes the entries and signs a tree, a header and a manifest that fit them."""
    job = play_three()
    played = job.rounds[ROUND - 1]
    entries = list(played.tally.entries)
    change(entries)
    tree = PaddedTree([entry.leaf() for entry in entries])
    header = replace(played.header.statement, entries_root=tree.root)
    files = {
        **played.bundle.files,
        evidence.ENTRIES: evidence.encode_entries(entries),
        evidence.TREE: canonical.encode(tree.dump()),
    }
    return find(audit_round(job, ROUND, job.seal(head(header) if head else header, files)))


def change_body(seq: int, **values: Any) -> Callable[[list[Entry]], None]:
    def change(entries: list[Entry]) -> None:
        entries[seq] = replace(entries[seq], body=replace(entries[seq].body, **values))

    return change


def test_reward_above_the_formula_with_fitting_sums_fails_reward_formula_only() -> None:
    job = play_three()
    last = len(job.rounds[ROUND - 1].tally.entries) - 1

    def change(entries: list[Entry]) -> None:
        body = entries[last].body
        paid = replace(body, reward=body.reward + 5, running_reward=body.running_reward + 5)
        entries[last] = replace(entries[last], earned=entries[last].earned + 5, body=paid)

    head = lambda header: replace(header, total_reward=header.total_reward + 5)  # noqa: E731  short, and used once
    assert lie(change, head) == {"reward-formula"}


def test_invented_earlier_earnings_fail_carry_only() -> None:
    def change(entries: list[Entry]) -> None:
        entries[0] = replace(entries[0], earned=entries[0].earned + 10**18)

    assert lie(change) == {"carry"}


@pytest.mark.parametrize(
    ("seq", "values", "check"),
    [
        (2, {"previous_round": 0}, "carry"),
        (2, {"credit": -(2**100)}, "carry"),
        (2, {"peak": 0}, "carry"),
        (2, {"verdict": int(Verdict.VOID)}, "verdict-weight"),
        (2, {"verdict": 10}, "verdict-weight"),
        (2, {"verdict": int(Verdict.DUPLICATE)}, "verdict-weight"),
        (2, {"weight": 3}, "verdict-weight"),
        (2, {"verdict": int(Verdict.UNREVEALED)}, "verdict-unrevealed"),
        (1, {"verdict": int(Verdict.NORM)}, "verdict-unrevealed"),
        (2, {"verdict": int(Verdict.NOT_OPENED)}, "opening"),
        (2, {"running_score": 0}, "running-totals"),
        (2, {"running_aggregate": b"\1" * 32}, "running-totals"),
        (2, {"signatures": b"\1" * 32}, "entry-signatures"),
        (2, {"contribution": b"\1" * 32}, "entry-contribution"),
    ],
)
def test_entry_that_lies_fails_the_check_that_owns_the_lie(seq: int, values: dict[str, Any], check: str) -> None:
    failed = lie(change_body(seq, **values))
    assert check in failed
    assert not failed & {"evidence-manifest", "header-signature", "anchor", "tree-root", "tree-padding"}


def test_entry_left_out_fails_entry_contribution() -> None:
    def drop_last(entries: list[Entry]) -> None:
        entries.pop()

    assert "entry-contribution" in lie(drop_last)


def test_hidden_leaf_behind_the_published_tree_fails_tree_root() -> None:
    """The root commits to an entry in the place of padding, and what is published is the honest tree."""
    job, bundle = get_round()
    played = job.rounds[ROUND - 1]
    invented = Entry(5, job.coordinator.address, 10**18, played.tally.entries[0].body)
    hiding = PaddedTree([entry.leaf() for entry in (*played.tally.entries, invented)])
    assert hiding.depth == played.tally.tree().depth
    header = replace(played.header.statement, entries_root=hiding.root)
    failed = find(audit_round(job, ROUND, job.seal(header, bundle.files)))
    assert failed == {"tree-root", "proof-length"}


def test_hidden_leaf_shown_in_the_dump_fails_tree_padding() -> None:
    job, bundle = get_round()
    played = job.rounds[ROUND - 1]
    invented = Entry(5, job.coordinator.address, 10**18, played.tally.entries[0].body)
    hiding = PaddedTree([entry.leaf() for entry in (*played.tally.entries, invented)])
    header = replace(played.header.statement, entries_root=hiding.root)
    files = {**bundle.files, evidence.TREE: canonical.encode(hiding.dump())}
    assert {"tree-root", "tree-padding"} <= find(audit_round(job, ROUND, job.seal(header, files)))


def test_deeper_tree_with_room_for_a_leaf_fails_tree_padding() -> None:
    job, bundle = get_round()
    entries = job.rounds[ROUND - 1].tally.entries
    more = [replace(entries[seq % 5], seq=seq).leaf() for seq in range(9)]
    deeper = PaddedTree(more)
    header = replace(job.rounds[ROUND - 1].header.statement, entries_root=deeper.root)
    files = {**bundle.files, evidence.TREE: canonical.encode(deeper.dump())}
    assert {"tree-padding", "tree-root", "proof-length"} <= find(audit_round(job, ROUND, job.seal(header, files)))


@pytest.mark.parametrize("change", ["remove", "append", "repeat"])
def test_proof_of_another_length_fails_proof_length(change: str) -> None:
    job, bundle = get_round()
    reply: Any = canonical.decode(job.hand_out(ROUND, 2))
    CHANGES[change](reply["proof"])
    handed_out = replace(bundle, handed_out=[canonical.encode(reply)])
    assert find(audit_round(job, ROUND, handed_out)) == {"proof-length"}
