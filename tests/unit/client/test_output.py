"""What others wrote (titles, names, refusals) is shown as text: no markup, nothing that a terminal obeys."""

from io import StringIO

import pytest

from client.edge import report
from client.errors import UsageRefused
from client.output import print_pairs, print_table, show_text
from client.requester.watching import JobPicture
from client.tokens import Unit
from ledger.statements import Terms
from ledger.wire import JobView, RoundView

EVIL = "[/x] [red]bold\x1b[2J\x9b1m\u202eok\n"


def test_text_keeps_letters_and_loses_what_terminals_obey() -> None:
    assert show_text("Größe 5 → 中文") == "Größe 5 → 中文"
    assert show_text(EVIL) == "[/x] [red]bold�[2J�1m�ok�"


def test_table_shows_markup_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Jobs", ["title", "spent"], [[EVIL, "1.5"]])
    shown = capsys.readouterr().out
    assert "[/x] [red]bold�[2J�1m�ok�" in shown
    assert "\x1b" not in shown


def test_pairs_and_errors_lose_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_pairs({"title": EVIL})
    report(UsageRefused(f"the coordinator says {EVIL}second line"))
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "tally: the coordinator says [/x] [red]bold�[2J�1m�ok\nsecond line\n" in shown.err


def test_followed_job_shows_titles_and_metric_names_as_text() -> None:
    from rich.console import Console  # noqa: PLC0415

    picture = JobPicture(Unit(18))
    terms = Terms(bytes(32), bytes(20), bytes(20), bytes(20), 2, 1, 1, 1, 1, 1, 0, bytes(32), 0, 1)
    picture.take(
        JobView.model_construct(title=EVIL, state="running", rounds_final=0, rounds_sealed=1, spent=5, terms=terms)
    )
    picture.take(
        RoundView.model_construct(
            round=1,
            state="sealed",
            cohort=3,
            committed=3,
            revealed=3,
            pot=5,
            total_reward=5,
            void=None,
            metrics={"[/x]\x1b[2J": 0.5},
        )
    )
    paper = StringIO()
    Console(width=200, file=paper).print(picture.render())
    shown = paper.getvalue()
    assert "[/x]�[2J 0.500" in shown
    assert "[red]bold" in shown
    assert "\x1b" not in shown
