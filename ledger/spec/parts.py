"""What every spec has: the task, and how many nodes make a round."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from ledger import canonical
from ledger.canonical import JsonValue
from ledger.errors import Malformed, MalformedSpec
from ledger.spec.reading import check_int, require
from ledger.structs import read_object

_TASK_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """A task by the name it is installed under, and its configuration: canonical JSON, fractions as decimal strings."""

    name: str
    config: Mapping[str, JsonValue] = field(hash=False)

    def __post_init__(self) -> None:
        require(
            "task.name",
            type(self.name) is str and _TASK_NAME.fullmatch(self.name) is not None,
            "a name such as 'recommender'",
            self.name,
        )
        require("task.config", isinstance(self.config, Mapping), "a JSON object", self.config)
        try:
            # A copy of our own: whoever passed the mapping may go on changing it.
            copy = canonical.decode(canonical.encode(dict(self.config)))
        except Malformed as error:
            raise MalformedSpec("task.config", str(error)) from None
        object.__setattr__(self, "config", MappingProxyType(copy))  # type: ignore[arg-type]  # encoded from a dict

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"name", "config"}."""
        return {"name": self.name, "config": canonical.decode(canonical.encode(dict(self.config)))}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes. Raises MalformedSpec."""
        return cls(**read_object(value, "task", ["name", "config"], MalformedSpec))  # type: ignore[arg-type]  # checked


@dataclass(frozen=True, slots=True)
class Cohort:
    """How many nodes a round needs and admits; `closes_at` contributions end its commit phase (0: all there)."""

    minimum: int
    maximum: int
    closes_at: int = 0

    def __post_init__(self) -> None:
        check_int("cohort.minimum", self.minimum, 1, 1_000_000)
        check_int("cohort.maximum", self.maximum, self.minimum, 1_000_000)
        check_int("cohort.closesAt", self.closes_at, 0, self.maximum)
        fits = self.closes_at == 0 or self.closes_at >= self.minimum
        require("cohort.closesAt", fits, f"0, or at least the minimum {self.minimum}", self.closes_at)

    @property
    def places(self) -> int:
        """The most contributions that a round can have."""
        return self.closes_at or self.maximum

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"minimum", "maximum", "closesAt"}."""
        return {"minimum": self.minimum, "maximum": self.maximum, "closesAt": self.closes_at}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes. Raises MalformedSpec."""
        fields = read_object(value, "cohort", ["minimum", "maximum", "closesAt"], MalformedSpec)
        return cls(fields["minimum"], fields["maximum"], fields["closesAt"])  # type: ignore[arg-type]  # checked there
