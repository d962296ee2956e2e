"""A model card as data: where a model comes from, what it can do, what it cost, and how to check all of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One round in the card: digests as hex, `reward` in token base units, losses in nats per position."""

    round: int
    header: str
    next_model: str
    contributions: int
    accepted: int
    samples: int
    reward: int
    void: str | None
    loss_before: float | None
    loss_after: float | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a reader of a model needs to know; digests and the job's id as hex, amounts in token base units.

    `budget` is what the requester put into escrow, `metrics` are measured on the hold-out, which decided nothing.
    """

    title: str
    description: str
    job: str
    spec: str
    model: str
    initial_model: str
    task: str
    config: Mapping[str, int | str]
    parameters: int
    nodes: int
    budget: int
    token: str
    metrics: Mapping[str, float]
    intended_use: str
    rounds: Sequence[RoundLine]

    @property
    def spent(self) -> int:
        """What all rounds paid."""
        return sum(line.reward for line in self.rounds)

    def to_json(self) -> dict[str, Any]:
        """The card as JSON with camelCase members; amounts are decimal strings."""
        card = {_camel(name): value for name, value in asdict(self).items()}
        rounds = [{_camel(name): value for name, value in asdict(line).items()} for line in self.rounds]
        for line in rounds:
            line["reward"] = str(line["reward"])
        return {**card, "rounds": rounds, "budget": str(self.budget), "spent": str(self.spent), "verify": self.verify}

    @property
    def verify(self) -> list[str]:
        """The commands that check this card from public bytes."""
        return [f"tally audit verify {self.job}", f"tally model download {self.model}"]

    def to_markdown(self) -> str:
        """The card for people."""
        return "\n".join(
            [
                f"# {_escape(self.title)}",
                "",
                _escape(self.description),
                "",
                *_tabulate(("", ""), self._facts()),
                "",
                "## Intended use",
                "",
                _escape(self.intended_use),
                "",
                "## Measured on the hold-out",
                "",
                *_tabulate(("metric", "value"), [(name, f"{value:.4f}") for name, value in self.metrics.items()]),
                "",
                "## Lineage",
                "",
                *_tabulate(_LINEAGE, [_describe(line) for line in self.rounds]),
                "",
                "## How to verify",
                "",
                *(f"    {command}" for command in self.verify),
                "",
            ]
        )

    def _facts(self) -> list[tuple[str, ...]]:
        return [
            ("model (SHA-256)", f"`{self.model}`"),
            ("initial model", f"`{self.initial_model}`"),
            ("job", f"`{self.job}`"),
            ("spec (SHA-256)", f"`{self.spec}`"),
            ("task", f"{self.task}, {self.parameters:,} parameters"),
            ("configuration", ", ".join(f"{name} {value}" for name, value in sorted(self.config.items()))),
            ("nodes", str(self.nodes)),
            ("samples, last round", str(self.rounds[-1].samples if self.rounds else 0)),
            ("paid", f"{self.spent} of {self.budget} base units of `{self.token}`"),
        ]


_LINEAGE = ("round", "header", "model", "contributions", "accepted", "loss", "paid", "metrics")


def _describe(line: RoundLine) -> tuple[str, ...]:
    losses = (line.loss_before, line.loss_after)
    loss = " → ".join(f"{value:.4f}" for value in losses if value is not None) or "–"
    metrics = ", ".join(f"{name} {value:.4f}" for name, value in line.metrics.items())
    model = f"unchanged ({line.void})" if line.void else f"`{line.next_model}`"
    counts = (str(line.contributions), str(line.accepted))
    return (str(line.round), f"`{line.header}`", model, *counts, loss, str(line.reward), metrics)


def _tabulate(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(_escape(cell) for cell in line)} |" for line in lines]


def _escape(text: str) -> str:
    # Titles come from requesters: no table breaks out of its cell, no tag reaches a page.
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
