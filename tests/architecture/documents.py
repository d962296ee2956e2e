"""The documents that are generated from the programs: `python -m tests.architecture.documents` rewrites them.

docs/cli.md is what `--help` says, by Typer's own generator; docs/openapi.json is what the coordinator serves.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.architecture.auditors import DOCUMENT as AUDITORS
from tests.architecture.auditors import render_auditors
from tests.architecture.sources import ROOT

PROGRAMS = {"tally": "client.cli", "tally-coordinator": "coordinator.cli", "tally-chain": "contracts.cli"}
HEAD = "# Commands\n\nGenerated from `--help` by `make fix`; a test compares.\n"


def render_commands() -> str:
    """docs/cli.md: each program's commands, arguments and options."""
    sections = [_render_program(program, module) for program, module in PROGRAMS.items()]
    return HEAD + "".join(f"\n{section}\n" for section in sections)


def render_openapi() -> str:
    """docs/openapi.json: the coordinator's HTTP interface."""
    # Imported here: docs/cli.md can be written without loading the service.
    from coordinator.openapi import describe_api  # noqa: PLC0415

    return json.dumps(describe_api(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


DOCUMENTS: Mapping[Path, Callable[[], str]] = {
    ROOT / "docs" / "cli.md": render_commands,
    ROOT / "docs" / "openapi.json": render_openapi,
    AUDITORS: render_auditors,
}


def _render_program(program: str, module: str) -> str:
    command = [sys.executable, "-m", "typer", module, "utils", "docs", "--name", program]
    plain = {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | plain, capture_output=True, encoding="utf-8", check=True, timeout=120
    )
    return re.sub(r"^#", "##", done.stdout.strip(), flags=re.MULTILINE)


def main() -> None:
    """Write every generated document anew."""
    for path, render in DOCUMENTS.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(render(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
