"""What the demo says about its dishonest nodes follows from entries and payload digests alone."""

from collections.abc import Sequence
from io import StringIO

from rich.console import Console

from client.demo.pretence import COPYING, Pretence, tell_pretence
from client.demo.screen import NodeRow, Screen
from ledger.entry import Entry, Standing, Verdict
from ledger.tally import Judgement, compute_tally

HONEST, OTHER, IDLE, COPIER = (bytes([number]) * 20 for number in range(1, 5))
ZEROS = bytes(32)
NAT = 2**40


def play(verdicts: Sequence[Verdict]) -> list[Sequence[Entry]]:
    """One round for each verdict on the copier; the honest nodes score, the idle one and the copier do not."""
    rounds: list[Sequence[Entry]] = []
    standings: dict[bytes, Standing] = {}
    for number, verdict in enumerate(verdicts, start=1):
        accepted = {HONEST: NAT // 2, OTHER: NAT // 2, IDLE: 0}
        judgements = [
            Judgement(node, node.ljust(32), bytes(32), Verdict.ACCEPTED, 1, score) for node, score in accepted.items()
        ]
        weight = int(verdict is Verdict.ACCEPTED)
        judgements.append(Judgement(COPIER, COPIER.ljust(32), bytes(32), verdict, weight))
        tally = compute_tally(1_000, 1_000, judgements, standings, number)
        standings |= tally.standings()
        rounds.append(tally.entries)
    return rounds


def digest(text: str) -> bytes:
    return text.encode().ljust(32, b"\1")


def tell(update: str, node: bytes) -> Pretence:
    rounds = play([Verdict.ACCEPTED, Verdict.RECYCLED, Verdict.RECYCLED])
    fresh = [{HONEST: digest(f"honest {number}"), OTHER: digest(f"other {number}")} for number in range(3)]
    # The copier, having nothing to copy yet, is first with zeros; in round 3 it copies its own copy.
    copies = (ZEROS, fresh[0][OTHER], fresh[0][OTHER])
    digests = [{COPIER: copy, **known, IDLE: ZEROS} for copy, known in zip(copies, fresh, strict=True)]
    return tell_pretence("node", update, node, rounds, digests)


def test_copies_are_told_by_who_sent_them_first() -> None:
    told = tell(COPYING, COPIER)
    zeros, copies = told.told
    assert zeros == "sent zeros: accepted 1 of 1"
    assert copies.startswith("copied, in round 3 an update of round 1 by 0x020202…0202: refused 2 of 2 (recycled: ")
    assert (told.copies, told.refused, told.score, told.earned) == (2, 2, 0, 0)


def test_zeros_are_nobodys_copies() -> None:
    told = tell("zero", IDLE)
    assert told.told == ["sent zeros: accepted 3 of 3"]
    assert (told.copies, told.refused, told.earned) == (0, 0, 0)


def test_node_without_any_entry_earned_nothing() -> None:
    told = tell("zero", b"\x09" * 20)
    assert (told.told, told.earned, told.score) == ([], 0, 0)


def test_table_shows_them_beside_the_honest_mean() -> None:
    output = StringIO()
    row = NodeRow("fleet", HONEST, 100, 1.0, NAT, 500, 500, 500)
    Screen(Console(file=output, width=160)).show_pretences([tell(COPYING, COPIER)], [row, row])
    shown = output.getvalue()
    assert "refused 2 of 2" in shown.replace("\n", " ")
    assert "2 nodes, on average" in shown
    assert "1.00000" in shown
