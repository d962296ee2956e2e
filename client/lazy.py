"""A Typer group whose sub-groups live in modules that are imported only when one of their commands is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter


class LazyGroup(TyperGroup):
    """Loads `modules[name]`'s `app` on use; `--help` lists the given sentences and imports nothing."""

    modules: ClassVar[Mapping[str, tuple[str, str]]] = {}
    _listing = False

    def list_commands(self, ctx: Context) -> list[str]:
        """The groups' names, and their lines for help and for spelling suggestions."""
        self.commands = {name: TyperCommand(name, help=text) for name, (_, text) in self.modules.items()}
        return super().list_commands(ctx)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """The real command, or only its line while help is listed."""
        if cmd_name not in self.list_commands(ctx) or self._listing:
            return self.commands.get(cmd_name)
        command = get_command(import_module(self.modules[cmd_name][0]).app)
        command.name = cmd_name
        return command

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Lists the groups without importing them."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False
