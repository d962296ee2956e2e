"""Compiles the contracts with the pinned solc into the committed artifacts: `python -m contracts.build`.

With `--check` nothing is written, and the exit code is 1 where an artifact is not what the sources compile to.
Needs Node.js on PATH and `npm ci` done in `contracts/`; nothing but this module does.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
ARTIFACTS = ROOT / "artifacts"
NAMES = ("ChallengeCourt", "JobLedger", "NodeRegistry", "TallyToken")
OUTPUTS = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "storageLayout",
]
COMPILE_SECONDS = 300

Json = dict[str, Any]


class ToolMissing(Exception):
    """Something the build needs is not installed."""

    def __init__(self, tool: str, remedy: str) -> None:
        self.tool = tool
        self.remedy = remedy
        super().__init__(f"expected {tool}, found none: {remedy}")


class CompilationFailed(Exception):
    """The compiler refused the sources, or warned; a warning is an error here."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = messages
        super().__init__("expected the contracts to compile without a warning, got:\n" + "\n".join(messages))


def build_artifacts() -> dict[str, str]:
    """Compile and return the text of every artifact by file name.

    Raises:
        ToolMissing: where Node.js or the compiler's package is not there.
        CompilationFailed: where the compiler reports anything.
    """
    output = compile_sources()
    names = dict(_find_variables([source["ast"] for source in output["sources"].values()]))
    version = _run_solc("--version").rpartition("Version: ")[2].strip()
    contracts = {name: output["contracts"][f"src/{name}.sol"][name] for name in (*NAMES, "Errors")}
    errors = contracts["Errors"]["abi"]
    artifacts = (describe_contract(name, contracts[name], names, errors) for name in NAMES)
    return {f"{a['contractName']}.json": _render({**a, "compiler": version}) for a in artifacts}


def compile_sources() -> Json:
    """Return the compiler's standard JSON output for everything in `src`; see `compile_files`."""
    return compile_files(sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*.sol")))


def compile_files(sources: Sequence[str]) -> Json:
    """Return the compiler's standard JSON output for some files, by their paths here, with foundry.toml's settings.

    Raises:
        ToolMissing: where Node.js or the compiler's package is not there.
        CompilationFailed: where the compiler reports anything.
    """
    request = {
        "language": "Solidity",
        "sources": {name: {"content": (ROOT / name).read_text(encoding="utf-8")} for name in sources},
        "settings": read_settings(),
    }
    output: Json = json.loads(_run_solc("--standard-json", stdin=json.dumps(request)))
    if output.get("errors"):
        raise CompilationFailed([error["formattedMessage"] for error in output["errors"]])
    return output


def read_settings() -> Json:
    """Return solc settings that equal those forge derives from foundry.toml."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]
    return {
        "remappings": profile["remappings"],
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "viaIR": profile["via_ir"],
        "evmVersion": profile["evm_version"],
        "metadata": {"bytecodeHash": profile["bytecode_hash"], "appendCBOR": profile["cbor_metadata"]},
        "outputSelection": {"*": {"*": OUTPUTS, "": ["ast"]}},
    }


def describe_contract(name: str, output: Mapping[str, Any], variables: Mapping[str, str], errors: list[Json]) -> Json:
    """Return the artifact of one contract.

    Immutables are named, not numbered: `immutableReferences` maps each to its places in `deployedBytecode`, in bytes,
    where the chain has the values of one deployment. The compiler leaves errors that a contract handles as values out
    of its interface; here they are in it.
    """
    deployed = output["evm"]["deployedBytecode"]
    places = deployed.get("immutableReferences", {})
    known = {fragment["name"] for fragment in output["abi"] if fragment["type"] == "error"}
    own = [error for error in errors if error["name"].startswith(f"{name}_") and error["name"] not in known]
    return {
        "contractName": name,
        "abi": output["abi"] + own,
        "bytecode": "0x" + output["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": {variables[ident]: places[ident] for ident in places},
        "storage": describe_storage(output["storageLayout"]),
    }


def describe_storage(layout: Mapping[str, Any]) -> Json:
    """Return where each mapping lies: its slot, and of its structs' members [slot, offset, width], the last in bytes.

    Offsets count from a slot's low end. Who has `eth_getProof` of a slot reads it with these.
    """
    mappings = {}
    for variable in layout["storage"]:
        kind = layout["types"][variable["type"]]
        while kind["encoding"] == "mapping":
            kind = layout["types"][kind["value"]]
        if "members" in kind and layout["types"][variable["type"]]["encoding"] == "mapping":
            members = {
                member["label"]: [int(member["slot"]), member["offset"], _measure(layout, member["type"])]
                for member in kind["members"]
            }
            mappings[variable["label"]] = {"members": members, "slot": int(variable["slot"])}
    return mappings


def _measure(layout: Mapping[str, Any], kind: str) -> int:
    return int(layout["types"][kind]["numberOfBytes"])


def find_stale(artifacts: Mapping[str, str]) -> list[str]:
    """Return the names of committed artifacts that differ from these, are missing, or should not be there."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in ARTIFACTS.glob("*.json")}
    return sorted(name for name in artifacts.keys() | committed.keys() if artifacts.get(name) != committed.get(name))


def main(arguments: list[str] | None = None) -> int:
    """Write the artifacts, or compare them with `--check`; the exit code is 0 where they are as built."""
    parser = argparse.ArgumentParser(prog="python -m contracts.build", description="Compile the contracts.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where an artifact is stale")
    check = parser.parse_args(arguments).check
    try:
        artifacts = build_artifacts()
    except (ToolMissing, CompilationFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stale = find_stale(artifacts)
    if check:
        return _report_stale(stale)
    ARTIFACTS.mkdir(exist_ok=True)
    for name in stale:
        if name in artifacts:
            (ARTIFACTS / name).write_text(artifacts[name], encoding="utf-8", newline="\n")
        else:
            (ARTIFACTS / name).unlink()
    sys.stdout.write(f"{len(artifacts)} artifacts, {len(stale)} changed\n")
    return 0


def _report_stale(stale: list[str]) -> int:
    if stale:
        sys.stderr.write(f"stale: {', '.join(stale)}: run `python -m contracts.build` and commit them\n")
        return 1
    sys.stdout.write("every artifact is as built\n")
    return 0


def _run_solc(argument: str, stdin: str = "") -> str:
    node = shutil.which("node") or shutil.which("node", path=Path(sys.executable).parent)
    if node is None:
        raise ToolMissing("Node.js (node)", "run `make dev`, or put node on PATH")
    if not (ROOT / "node_modules" / "solc").is_dir():
        raise ToolMissing("the solc package", "run `npm ci` in contracts/")
    command = [node, str(ROOT / "solc.js"), argument]
    done = subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, encoding="utf-8", timeout=COMPILE_SECONDS, check=False
    )
    if done.returncode != 0:
        raise CompilationFailed([done.stderr.strip()])
    return done.stdout


def _find_variables(nodes: Any) -> Iterator[tuple[str, str]]:
    """Yield (AST id, name) of every variable declared below these nodes."""
    if isinstance(nodes, list):
        for node in nodes:
            yield from _find_variables(node)
    elif isinstance(nodes, dict):
        if nodes.get("nodeType") == "VariableDeclaration":
            yield str(nodes["id"]), nodes["name"]
        for child in nodes.values():
            yield from _find_variables(child)


def _render(artifact: Json) -> str:
    return json.dumps(artifact, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    sys.exit(main())
