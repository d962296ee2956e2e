"""What is shown of a fleet: counts by phase, the newest round, and nothing of who is who."""

from rich.console import Console

from client.node.work.display import LiveDisplay, Summary

NODES = [bytes([number]) * 20 for number in range(3)]


def test_summary_counts_nodes_in_their_newest_phase() -> None:
    clock = iter(range(100))
    summary = Summary(3, now=lambda: float(next(clock)))
    for node in NODES:
        summary.show(node, "training", round_number=4)
    summary.show(NODES[0], "committed", round_number=4)
    assert (summary.count("training"), summary.count("committed"), summary.round) == (2, 1, 4)
    assert [count for _, count in summary.describe()] == [2, 1]


def test_time_starts_anew_with_a_round() -> None:
    now = 0.0
    summary = Summary(1, now=lambda: now)
    summary.show(NODES[0], "training", round_number=1)
    now = 5.0
    assert summary.elapsed_seconds == 5.0
    summary.show(NODES[0], "training", round_number=2)
    assert summary.elapsed_seconds == 0.0


def test_live_display_draws_each_phase() -> None:
    display = LiveDisplay(3)
    console = Console(width=100, record=True, file=None, force_terminal=False)
    display.show(NODES[0], "training", round_number=2)
    display.show(NODES[1], "revealed", round_number=2)
    with console.capture() as capture:
        console.print(display._render())
    text = capture.get()
    assert "round 2" in text
    assert "trains on its own data" in text
    assert "1/3" in text
