"""Runs slither over the contracts and holds what it finds against `slither/triage.md`: `python -m contracts.analyse`.

Exit code 0 where it finds exactly what the triage explains, 1 where it finds more or less, 2 where it cannot run.
Slither lives in an environment of its own, `.venv-slither`, since it needs other versions of our dependencies; it reads
what the pinned solc makes of the sources, and compiles nothing itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from contracts.build import ROOT, CompilationFailed, ToolMissing, read_settings, run_solc

SLITHER = ROOT.parent / ".venv-slither" / "bin" / "slither"
TRIAGE = ROOT / "slither" / "triage.md"
ANALYSIS_SECONDS = 300

LEFT_OUT: Final = "timestamp"
"""Deadlines and windows are what these contracts are about: nearly every function compares the block's time."""

Json = dict[str, Any]
Finding = tuple[str, str]
"""What a detector is called, and `Contract.function` or `Contract.variable`."""


class AnalysisFailed(Exception):
    """Slither itself went wrong."""

    def __init__(self, output: str) -> None:
        self.output = output
        super().__init__(f"expected slither to report, got:\n{output}")


def find_all(slither: Path = SLITHER) -> set[Finding]:
    """Run slither and return its findings of low, medium and high impact.

    Raises:
        ToolMissing: where slither, forge, Node.js or the compiler's package is not there.
        CompilationFailed: where the sources do not compile.
        AnalysisFailed: where slither does not report.
    """
    if not slither.is_file():
        raise ToolMissing("slither", "run `make check`, which installs it into .venv-slither")
    forge = next((ROOT / "node_modules" / "@foundry-rs").glob("forge-*/bin"), None)
    if forge is None:
        raise ToolMissing("forge", "run `npm ci` in contracts/")
    with tempfile.TemporaryDirectory(prefix="tally-slither-") as folder:
        out, report = Path(folder) / "out", Path(folder) / "report.json"
        write_build(out / "build-info" / "contracts.json")
        command = [slither, ".", "--compile-force-framework", "foundry", "--ignore-compile"]
        command += ["--foundry-out-directory", out, "--filter-paths", "node_modules", "--json", report]
        command += ["--exclude", LEFT_OUT, "--exclude-informational", "--exclude-optimization"]
        # Slither asks forge for the project's remappings.
        environment = {**os.environ, "PATH": os.pathsep.join([os.environ.get("PATH", os.defpath), str(forge)])}
        done = subprocess.run(
            list(map(str, command)),
            cwd=ROOT,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=ANALYSIS_SECONDS,
            check=False,
        )
        result: Json = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {"success": False}
    if not result["success"]:
        raise AnalysisFailed(done.stderr.strip())
    return {(found["check"], name_place(found["elements"][0])) for found in result["results"].get("detectors", [])}


def write_build(path: Path) -> None:
    """Write what slither reads instead of compiling: a build of forge's form, with syntax trees and without code."""
    sources = sorted(source.relative_to(ROOT).as_posix() for source in (ROOT / "src").rglob("*.sol"))
    request = {
        "language": "Solidity",
        "sources": {name: {"content": (ROOT / name).read_text(encoding="utf-8")} for name in sources},
        "settings": {**read_settings(), "viaIR": False, "outputSelection": {"*": {"*": ["abi"], "": ["ast"]}}},
    }
    output: Json = json.loads(run_solc("--standard-json", stdin=json.dumps(request)))
    if output.get("errors"):
        raise CompilationFailed([error["formattedMessage"] for error in output["errors"]])
    blank = {"object": "", "sourceMap": "", "linkReferences": {}}
    for contracts in output["contracts"].values():
        for contract in contracts.values():
            contract["evm"] = {"bytecode": blank, "deployedBytecode": blank, "methodIdentifiers": {}}
    version = run_solc("--version").rpartition("Version: ")[2].partition("+")[0]
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"solcVersion": version, "input": request, "output": output}), encoding="utf-8")


def read_triage(text: str) -> set[Finding]:
    """Return the findings that a triage table explains: rows of detector, place and reason, each in its cell."""
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {(row[0], row[1]) for row in rows[2:] if len(row) == 3 and row[2]}


def main() -> int:
    """Compare and report."""
    try:
        found, explained = find_all(), read_triage(TRIAGE.read_text(encoding="utf-8"))
    except (ToolMissing, CompilationFailed, AnalysisFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _report(
        "not explained in contracts/slither/triage.md: look at it, mend it or say why it is none", found - explained
    )
    _report("explained in contracts/slither/triage.md and not found any more: take the row out", explained - found)
    if found != explained:
        return 1
    sys.stdout.write(f"slither: {len(found)} findings, all explained\n")
    return 0


def _report(what: str, findings: Iterable[Finding]) -> None:
    for check, place in sorted(findings):
        sys.stderr.write(f"slither: {check} in {place}: {what}\n")


def name_place(element: Json) -> str:
    """`Contract.function`, as slither's first element of a finding places it."""
    names = [element["name"]]
    while parent := element.get("type_specific_fields", {}).get("parent"):
        names.insert(0, parent["name"])
        element = parent
    return ".".join(names)


if __name__ == "__main__":
    sys.exit(main())
