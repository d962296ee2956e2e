"""The registry of tasks: installed code chosen by name, configured by data."""

from __future__ import annotations

from importlib import import_module

from learning.tasks.task import Examples, MalformedExamples, Objective, Positions, Task, TaskConfig, Training
from ledger.errors import MalformedSpec

__all__ = ["Examples", "MalformedExamples", "Objective", "Positions", "Task", "TaskConfig", "Training", "get_task"]

# Loaded when asked for: torch alone takes two seconds, and a node runs one task.
_MODULES = {"digits": "learning.tasks.digits", "recommender": "learning.tasks.recommender"}


def get_task(name: str, config: TaskConfig | None = None) -> Task:
    """The task of that name with this configuration; missing values take the task's defaults.

    Raises:
        MalformedSpec: for a name that is not installed, or a configuration the task does not know.
    """
    if name not in _MODULES:
        raise MalformedSpec("task.name", f"one of {sorted(_MODULES)}", name)
    task: Task = import_module(_MODULES[name]).create(config or {})
    return task
