"""A model card: where a model comes from, what it can do, what it cost, and how to check all of that. Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One round in the card: digests as hex, `reward` in token base units, `void` why nothing was paid."""

    round: int
    header: str
    next_model: str
    contributions: int
    accepted: int
    reward: int
    void: str | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Participation:
    """Who took part; samples and seconds are the nodes' own word."""

    nodes: int
    contributions: int
    accepted: int
    samples: int
    compute_seconds: float


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a reader of a model needs to know; digests, addresses and the job's id as hex, amounts in token base units.

    Attributes:
        validation: SHA-256 of the set that decided pay; None where pay went by weight.
        budget: what the requester put into escrow.
        price: base units for each nat of fall in validation loss.
        ledger: the contract that keeps the rounds, and its chain.
        coordinator: where the evidence is.
        rounds: metrics in it are measured on the hold-out, which decided nothing.
    """

    title: str
    description: str
    job: str
    spec: str
    model: str
    initial_model: str
    validation: str | None
    task: str
    config: Mapping[str, object]
    parameters: int
    participation: Participation
    budget: int
    price: int
    token: str
    ledger: str
    coordinator: str
    rounds: Sequence[RoundLine]

    @property
    def spent(self) -> int:
        """What all rounds paid."""
        return sum(line.reward for line in self.rounds)

    def to_markdown(self) -> str:
        """The card for people."""
        metrics = list(dict.fromkeys(name for line in self.rounds for name in line.metrics))
        head = ("round", "contributions", "accepted", "paid", *metrics, "model", "header")
        sections = {
            "Model": _list(self._describe_model()),
            "Lineage and metrics on the hold-out": _tabulate(head, [_describe(line, metrics) for line in self.rounds]),
            "Participation": _list(self._describe_participation()),
            "Spend": _list(self._describe_spend()),
            "How to verify": self._describe_checks(),
        }
        title = f"# {_escape(self.title)}\n\n{_escape(self.description) or 'No description.'}"
        return "\n\n".join((title, *(f"## {name}\n\n{text}" for name, text in sections.items()))) + "\n"

    def _describe_model(self) -> list[str]:
        config = ", ".join(f"{name} {value}" for name, value in sorted(self.config.items()))
        validation = "none, pay went by weight" if self.validation is None else f"`{self.validation}`"
        return [
            f"SHA-256 `{self.model}`, after {len(self.rounds)} rounds; {self.parameters:,} float32 parameters",
            f"task `{self.task}`: {_escape(config) or 'its defaults'}",
            f"began from `{self.initial_model}`; validation set: {validation}",
            f"intended use: what its task serves (`{self.task}`), for people like those who trained it",
        ]

    def _describe_participation(self) -> list[str]:
        part = self.participation
        return [
            f"{part.nodes} nodes with {part.samples} samples in all, by their own word",
            f"{part.contributions} contributions, {part.accepted} accepted",
            f"{part.compute_seconds:.1f} s of computing, by their own word",
            "histories stayed on the nodes; updates are in the evidence, and an update can reveal what moved it",
        ]

    def _describe_spend(self) -> list[str]:
        return [
            f"{self.spent} of {self.budget} base units of token {self.token}",
            f"{self.price} base units for each nat of fall in validation loss",
        ]

    def _describe_checks(self) -> str:
        command = f"tally audit verify {self.job} --coordinator {self.coordinator}"
        return (
            f"`{command}` recomputes every round from public bytes and compares with {self.ledger}. "
            f"The job's rules have SHA-256 `{self.spec}`."
        )


def _describe(line: RoundLine, metrics: Sequence[str]) -> list[str]:
    measured = [f"{line.metrics[name]:.4f}" if name in line.metrics else "" for name in metrics]
    paid = f"void: {line.void}" if line.void else str(line.reward)
    counts = (str(line.contributions), str(line.accepted))
    return [str(line.round), *counts, paid, *measured, f"`{line.next_model}`", f"`{line.header}`"]


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _tabulate(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_escape(cell) for cell in line)} |" for line in lines)


def _escape(text: str) -> str:
    # Titles come from requesters, metric names from tasks: no table breaks out of its cell, no tag reaches a page.
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
