"""What `make dev` installs is pinned, and pinned for every machine."""

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.architecture.sources import PACKAGES, ROOT, Source, load_sources

PIN = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!]+")
LOCK = json.loads((ROOT / "contracts" / "package-lock.json").read_text(encoding="utf-8"))["packages"]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert all(PIN.fullmatch(line) for line in lines), [line for line in lines if not PIN.fullmatch(line)]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in (line.split("==") for line in lines)}


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    wanted = [*project["project"]["dependencies"], *(name for extra in extras for name in extra)]
    names = {re.split(r"[<>=!~\[; ]", name)[0].lower() for name in wanted}
    assert names <= pins().keys()


def test_contract_tools_are_pinned_exactly() -> None:
    package = json.loads((ROOT / "contracts" / "package.json").read_text(encoding="utf-8"))
    wanted = package["dependencies"] | package.get("devDependencies", {})
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values()), wanted
    assert {name: LOCK[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_lock_names_the_tools_of_every_platform() -> None:
    """`npm ci` refuses a lock that lacks one, even where that one would not be installed."""
    optional = {name for entry in LOCK.values() for name in entry.get("optionalDependencies", {})}
    assert optional
    assert {name for name in optional if f"node_modules/{name}" not in LOCK} == set()
    assert not [name for name, entry in LOCK.items() if "resolved" in entry]


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_is_a_declared_dependency() -> None:
    """What only comes along with another package may leave with its next version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {normalise(re.split(r"[<>=!~\[; ]", name)[0]) for name in project["dependencies"]}
    providers = packages_distributions()
    undeclared = {
        f"{source.name} imports {module}"
        for source in load_sources(*PACKAGES)
        for module in imported_modules(source)
        if module not in sys.stdlib_module_names | {"_typeshed"}
        and module not in PACKAGES
        and declared.isdisjoint(normalise(name) for name in providers.get(module, []))
    }
    assert not undeclared


def imported_modules(source: Source) -> set[str]:
    """The top-level names of all modules that a file imports, wherever in it."""
    nodes = list(ast.walk(source.tree))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


def test_every_dependency_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    providers = packages_distributions()
    modules = {module for source in load_sources(*PACKAGES) for module in imported_modules(source)}
    used = {normalise(name) for module in modules for name in providers.get(module, [])}
    declared = {normalise(re.split(r"[<>=!~\[; ]", name)[0]) for name in project["dependencies"]}
    assert declared <= used, declared - used


def test_peers_of_the_benches_are_pinned_exactly() -> None:
    folder = ROOT / "bench" / "constraints"
    lines = [line for path in folder.glob("*.txt") for line in path.read_text(encoding="utf-8").split()]
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []
    for path in folder.glob("*/package.json"):
        wanted = json.loads(path.read_text(encoding="utf-8"))["dependencies"]
        lock = json.loads((path.parent / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        assert {name: lock[f"node_modules/{name}"]["version"] for name in wanted} == wanted
        assert not [name for name, entry in lock.items() if "resolved" in entry]
