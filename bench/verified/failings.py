"""What is not caught, said plainly: sentences chosen by thresholds on what was measured."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from bench.verified.cells import DISTRIBUTIONS, Cell, Measured, Section
from bench.verified.tables import MIDDLE, SPREADS, TITLES, explain, find_worst, list_rules, percent, show
from learning.adversaries.groups import KINDS
from learning.rules import MEAN

WELL_PAID = 0.5
"""Of an honest node's pay: above it, cheating pays if it costs less than half the work."""

LOST = 0.05
"""Points of quality that the dishonest took from the model: less than it had if they had stayed away."""

FALSE_ALARM = 0.01

WORKING = "inflated-counts"
"""Honest work whose lie weighs nothing: it is paid as such, and takes nothing from anyone."""


def render(sections: Mapping[str, Section]) -> str:
    """The whole section."""
    parts = ["\n## What is not caught\n"]
    for title, find in TOPICS.items():
        found = [line for name, section in sections.items() for line in find(name, section)]
        parts.append(f"\n**{title}:**" + ("\n\n" + "".join(f"- {line}\n" for line in found) if found else " none.\n"))
    return "".join(parts)


def _find_well_paid(name: str, section: Section) -> Iterator[str]:
    for kind in KINDS:
        worst = find_worst(section, name, MIDDLE, kind, MEAN)
        if worst is None or (worst[1].pay or 0.0) <= WELL_PAID or kind == WORKING:
            continue
        cell, one = worst
        others = [rule for rule in list_rules(section) if rule != MEAN]
        below = [rule for rule in others if _is_below(section, name, kind, rule)]
        helped = f"; below half under {', '.join(below) or 'no other rule'}" if others else ""
        yield (
            f"`{kind}` on {TITLES[name]}, {SPREADS[cell.distribution]}: {show(one.pay)} of an honest node's pay, "
            f"{percent(one.captured)} of the budget, AUROC {show(one.auroc)}{helped}. ({explain(kind)}.)"
        )


def _find_well_paid_elsewhere(name: str, section: Section) -> Iterator[str]:
    for rule in list_rules(section):
        paid = {}
        for kind in KINDS:
            found, usual = (find_worst(section, name, MIDDLE, kind, one) for one in (rule, MEAN))
            if found and (found[1].pay or 0.0) > WELL_PAID and usual and (usual[1].pay or 0.0) <= WELL_PAID:
                paid[kind] = show(found[1].pay)
        if paid:
            yield f"`{rule}` on {TITLES[name]}: {', '.join(f'`{kind}` {pay}' for kind, pay in paid.items())}."


def _is_below(section: Section, name: str, kind: str, rule: str) -> bool:
    found = find_worst(section, name, MIDDLE, kind, rule)
    return found is not None and found[1].pay is not None and found[1].pay <= WELL_PAID


def _find_multiplied(name: str, section: Section) -> Iterator[str]:
    names = round(section.nodes * MIDDLE / 100)
    for kind in ("operator-split", "operator-split-vouched", "operator-copied", "pooled-noise"):
        worst = find_worst(section, name, MIDDLE, kind, MEAN)
        if worst is not None and (worst[1].pay or 0.0) * names > 1.1:
            times = f"{(worst[1].pay or 0.0) * names:.1f}"
            where = f"{TITLES[name]}, {SPREADS[worst[0].distribution]}"
            yield f"`{kind}` on {where}: one node's data under {names} names earns {times} times an honest node's pay."


def _find_wreckers(name: str, section: Section) -> Iterator[str]:
    for kind in KINDS:
        for distribution in DISTRIBUTIONS:
            cells = [Cell(name, distribution, MIDDLE, kind, rule) for rule in list_rules(section)]
            losses = {
                cell.rule: section.cells[cell.without_them()].quality - section.cells[cell].quality
                for cell in cells
                if cell in section.cells and cell.without_them() in section.cells
            }
            if losses.get(MEAN, 0.0) > LOST:
                yield _describe_losses(f"`{kind}` on {TITLES[name]}, {SPREADS[distribution]}", losses)


def _describe_losses(where: str, losses: Mapping[str, float]) -> str:
    held = [f"{rule} ({max(0.0, loss) * 100:.0f})" for rule, loss in losses.items() if loss <= LOST]
    others: Sequence[str] = [rule for rule in losses if rule != MEAN]
    if not others:
        return f"{where}: {losses[MEAN] * 100:.0f} points under the mean (other rules not played there)."
    kept = f"held by {', '.join(held)}" if held else "held by no rule"
    return f"{where}: {losses[MEAN] * 100:.0f} points under the mean; {kept}."


def _find_stoppers(name: str, section: Section) -> Iterator[str]:
    for kind in KINDS:
        stopped = [cell for cell, one in section.cells.items() if cell.kind == kind and one.void > 0.5]
        if stopped:
            least = min(cell.percent for cell in stopped)
            rules = [rule for rule in list_rules(section) if any(cell.rule == rule for cell in stopped)]
            yield f"`{kind}` on {TITLES[name]}, from {least} % of the nodes on: under {', '.join(rules)}."


def _find_false_alarms(name: str, section: Section) -> Iterator[str]:
    alarms: dict[str, tuple[Cell, Measured]] = {}
    for cell, one in section.cells.items():
        known = alarms.get(cell.kind)
        if one.refused_honest > FALSE_ALARM and (known is None or one.refused_honest > known[1].refused_honest):
            alarms[cell.kind] = (cell, one)
    for kind, (cell, one) in alarms.items():
        yield (
            f"{percent(one.refused_honest, 1)} on {TITLES[name]}, {SPREADS[cell.distribution]}, {cell.rule}, beside "
            f"{cell.percent} % `{kind}`."
        )


TOPICS: Mapping[str, Callable[[str, Section], Iterator[str]]] = {
    f"Paid more than half of an honest node ({MIDDLE} % dishonest, the mean, worst distribution)": _find_well_paid,
    f"Paid more than half under another rule, though not under the mean ({MIDDLE} %)": _find_well_paid_elsewhere,
    "Earns more by standing under many names than under one": _find_multiplied,
    f"Takes more than {LOST * 100:.0f} points of quality at {MIDDLE} %, beside jobs without them": _find_wreckers,
    "Stops the job: most rounds change nothing and pay nobody": _find_stoppers,
    f"Honest nodes refused in more than {FALSE_ALARM:.0%} of their rounds": _find_false_alarms,
}
