"""The documents that are generated from the programs: `python -m tests.architecture.documents` rewrites them.

docs/cli.md is what `--help` says, by Typer's own generator; docs/openapi.json is what the coordinator serves;
docs/benchmarks.md is what the last full run of each bench measured; docs/verified-work.md what cheats are
paid.
"""

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.render import DOCUMENT as BENCHMARKS
from bench.render import render as render_benchmarks
from bench.verified.page import DOCUMENT as VERIFIED
from bench.verified.page import render as render_verified
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
    BENCHMARKS: render_benchmarks,
    VERIFIED: render_verified,
}


def _render_program(program: str, module: str) -> str:
    command = [sys.executable, "-m", "typer", module, "utils", "docs", "--name", program]
    plain = {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | plain, capture_output=True, encoding="utf-8", check=True, timeout=120
    )
    # Typer escapes for HTML, and cuts the lists' descriptions; the sections below them have the whole sentence.
    text = html.unescape(done.stdout.strip())
    first_lines = dict(re.findall(r"^#+ `([^`]+)`\n\n(\S.*(?:\n\S.*)*)", text, flags=re.MULTILINE))
    whole = {
        path: re.split(r"(?<=\.)\s", " ".join(words.split()), maxsplit=1)[0] for path, words in first_lines.items()
    }
    return re.sub(r"^#", "##", _complete_lists(text, whole), flags=re.MULTILINE)


def _complete_lists(text: str, whole: Mapping[str, str]) -> str:
    """Puts the whole first sentence of each command where Typer's list has its beginning."""
    lines, path = [], ""
    for line in text.splitlines():
        heading, item = re.fullmatch(r"#+ `([^`]+)`", line), re.match(r"\* `([a-z][\w-]*)`: ", line)
        path = heading[1] if heading else path
        sentence = whole.get(f"{path} {item[1]}") if item else None
        lines.append(f"{item[0]}{sentence}" if item and sentence else line)
    return "\n".join(lines)


def main() -> None:
    """Write every generated document anew."""
    for path, render in DOCUMENTS.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(render(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
