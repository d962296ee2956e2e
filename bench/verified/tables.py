"""The tables of `docs/verified-work.md`, from what was measured."""

from collections.abc import Callable, Iterable, Sequence

from bench.verified.cells import (
    ABSENT,
    DIGITS,
    DISTRIBUTIONS,
    HONEST,
    IID,
    MILD,
    MOVIELENS,
    SEVERE,
    Cell,
    Measured,
    Section,
)
from learning.adversaries.groups import COMPOSITIONS, KINDS
from learning.adversaries.strategies import ADVERSARIES
from learning.rules import MEAN
from ledger.spec import AGGREGATION_RULES

TITLES = {DIGITS: "Digits", MOVIELENS: "MovieLens-100K"}
SPREADS = {IID: "IID", MILD: "Dirichlet 1.0", SEVERE: "Dirichlet 0.1"}
QUALITIES = {DIGITS: "accuracy", MOVIELENS: "HR@10 against 99 negatives"}
_STAY_AWAY = "*they stay away*"
PERCENTS = (10, 30, 45)
MIDDLE = 30


def render_pay(name: str, section: Section) -> str:
    """Every kind at 30 % under the mean, where it is paid most."""
    rows = []
    for kind in KINDS:
        worst = find_worst(section, name, MIDDLE, kind, MEAN)
        if worst is not None:
            cell, one = worst
            numbers = [show(one.pay), percent(one.captured), show(one.auroc), percent(one.refused)]
            rows.append([kind, explain(kind), SPREADS[cell.distribution], *numbers, percent(one.refused_honest, 1)])
    columns = ["kind", "what it does", "worst under", "pay", "captured", "AUROC", "refused", "honest refused"]
    head = (
        f"\n## {TITLES[name]}: what {MIDDLE} % dishonest nodes are paid under the mean\n\n"
        f"{round(section.nodes * MIDDLE / 100)} of {section.nodes} nodes, in the distribution that pays them most.\n\n"
    )
    return head + render_table(columns, rows)


def render_captured(name: str, section: Section) -> str:
    """How the captured part grows with the group, where more than one share was played."""
    played = [percents for percents in PERCENTS if any(cell.percent == percents for cell in section.cells)]
    if len(played) < 2:
        return ""
    rows = []
    for kind in KINDS:
        worst = [find_worst(section, name, share, kind, MEAN, by=lambda one: one.captured) for share in played]
        rows.append([kind, *(percent(found[1].captured) if found else "–" for found in worst)])
    head = f"\n### {TITLES[name]}: part of the budget captured, by the group's share of the nodes\n\n"
    text = "Under the mean, in the worst distribution; – where nobody was paid.\n\n"
    return head + text + render_table(["kind", *(f"{share} %" for share in played)], rows)


def render_rules(name: str, section: Section) -> str:
    """Pay at 30 % by aggregation rule, in the worst distribution."""
    rules = list_rules(section)
    rows = []
    for kind in KINDS:
        found = [find_worst(section, name, MIDDLE, kind, rule) for rule in rules]
        if sum(one is not None for one in found) > 1:
            rows.append([kind, *(show(one[1].pay) if one else "–" for one in found)])
    head = f"\n## {TITLES[name]}: pay by aggregation rule\n\n{MIDDLE} % dishonest, in the worst distribution.\n\n"
    return head + render_table(["kind", *rules], rows) if rows else ""


def render_quality(name: str, section: Section) -> str:
    """The last model's quality by aggregation rule, for each distribution and share that was played by several."""
    parts = [f"\n## {TITLES[name]}: {QUALITIES[name]} by aggregation rule\n"]
    rules = list_rules(section)
    parts.append(_render_false_positives(name, section, rules))
    for distribution in DISTRIBUTIONS:
        rows = []
        shares = _list_shares(section, name, distribution)
        for kind in (ABSENT, *KINDS):
            cells = [[Cell(name, distribution, share, kind, rule) for share in shares] for rule in rules]
            if sum(any(cell in section.cells for cell in some) for some in cells) > 1:
                rows.append([_STAY_AWAY if kind == ABSENT else kind, *(_join(section, some) for some in cells)])
        if rows:
            parts.append(f"\n{SPREADS[distribution]}, at {' / '.join(map(str, shares))} % dishonest.\n\n")
            parts.append(render_table(["kind", *rules], rows))
    return "".join(parts)


def find_worst(
    section: Section,
    name: str,
    share: int,
    kind: str,
    rule: str,
    by: Callable[[Measured], float | None] = lambda one: one.pay,
) -> tuple[Cell, Measured] | None:
    """The distribution in which a kind got most; the last of those in which nobody was paid; None: not played."""
    cells = [Cell(name, distribution, share, kind, rule) for distribution in DISTRIBUTIONS]
    played = [(cell, section.cells[cell]) for cell in cells if cell in section.cells]

    def rank(found: tuple[Cell, Measured]) -> float:
        got = by(found[1])
        return -1.0 if got is None else got

    return max(played, key=rank, default=None)


def list_rules(section: Section) -> list[str]:
    """The rules that were played, in the ledger's order."""
    played = {cell.rule for cell in section.cells}
    return [rule for rule in AGGREGATION_RULES if rule in played]


def explain(kind: str) -> str:
    """What a kind does, in the words of its own docstring."""
    text = (ADVERSARIES.get(kind) or COMPOSITIONS[kind]).__doc__ or ""
    return text.strip().splitlines()[0].removesuffix(".")


def show(value: float | None) -> str:
    """A ratio; – where there is none."""
    return "–" if value is None else f"{value:.2f}" if value >= 0.005 or value == 0 else "< 0.01"


def percent(value: float | None, digits: int = 0) -> str:
    """A part as per cent; – where there is none."""
    return "–" if value is None else f"{value * 100:.{digits}f} %"


def render_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def _render_false_positives(name: str, section: Section, rules: Sequence[str]) -> str:
    rows = []
    for distribution in DISTRIBUTIONS:
        found = [section.cells.get(Cell(name, distribution, 0, HONEST, rule)) for rule in rules]
        if any(found):
            rows.append([SPREADS[distribution], *(_describe_honest(one) for one in found)])
    text = "\nNobody cheats: quality; honest node-rounds refused by screening; left out by the rule.\n\n"
    return text + render_table(["distribution", *rules], rows)


def _describe_honest(one: Measured | None) -> str:
    if one is None:
        return "–"
    return f"{one.quality:.2f}; {percent(one.refused_honest, 1)}; {percent(one.excluded_honest)}"


def _list_shares(section: Section, name: str, distribution: str) -> list[int]:
    """Shares that were played by more than one rule."""
    here = [cell for cell in section.cells if (cell.data, cell.distribution) == (name, distribution)]
    return [share for share in PERCENTS if len({cell.rule for cell in here if cell.percent == share}) > 1]


def _join(section: Section, cells: Sequence[Cell]) -> str:
    found = [section.cells[cell].quality for cell in cells if cell in section.cells]
    return " / ".join(f"{quality:.2f}" for quality in found) or "–"
