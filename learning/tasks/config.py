"""Reading a task's configuration: integers and decimal strings, unknown names refused, defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping

from learning.tasks.task import TaskConfig
from ledger.errors import MalformedSpec
from ledger.spec import parse_decimal


def complete_config(
    given: TaskConfig, defaults: Mapping[str, int | str], largest: Mapping[str, int]
) -> dict[str, int | str]:
    """Returns the configuration with every member: decimal strings, or integers from 1 to `largest`.

    Whoever writes a job spec chooses these for other people's machines: the bounds keep a node from working for ever.

    Raises:
        MalformedSpec: for a name that the defaults lack, another type, or a value out of range.
    """
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise MalformedSpec("task.config", f"members among {sorted(defaults)}", unknown)
    config: dict[str, int | str] = {**defaults, **given}
    for name, default in defaults.items():
        value = config[name]
        field = f"task.config.{name}"
        if type(value) is not type(default):
            expected = "an integer" if type(default) is int else "a decimal string"
            raise MalformedSpec(field, expected, value)
        if isinstance(value, int) and not 1 <= value <= largest[name]:
            raise MalformedSpec(field, f"an integer from 1 to {largest[name]}", value)
        if isinstance(value, str):
            parse_decimal(field, value)
    return config
