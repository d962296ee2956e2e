"""The rules of the house style that a machine can check and that ruff and mypy do not."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.sources import PACKAGES, ROOT, Source, find_files, load_sources

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
FORBIDDEN_MODULES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
# A program's edges: where a broad except may stand, with the traceback logged.
EDGES = re.compile(r"(^|/)(cli|worker|app|supervisor|edge|__main__)(_\w+)?\.py$|(^|/)cli/")
# Words of the glossary's column "not", as far as no library forces them on us.
NOT_OUR_WORDS = re.compile(r"(^|_)(submission|participants?|reputation|pledge|aggregator|dispute|payee)s?(_|$)")

MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home)/\w")
REGISTRY_HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org|proxy\.golang")

each_source = pytest.mark.parametrize("source", load_sources(*PACKAGES), ids=lambda source: source.name)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def keywords(decorator: ast.expr) -> dict[str | None, object]:
    if not isinstance(decorator, ast.Call):
        return {}
    return {word.arg: word.value.value for word in decorator.keywords if isinstance(word.value, ast.Constant)}


def is_dataclass(decorator: ast.expr) -> bool:
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(name) in ("dataclass", "dataclasses.dataclass")


@pytest.mark.parametrize("source", load_sources(*PACKAGES, "tests"), ids=lambda source: source.name)
def test_file_is_short_or_its_docstring_says_why_not(source: Source) -> None:
    lines = source.text.count("\n")
    assert lines <= LONGEST_FILE or "300 lines" in source.docstring, f"{lines} lines"


@each_source
def test_module_is_named_after_a_noun_of_the_field(source: Source) -> None:
    assert FORBIDDEN_MODULES.isdisjoint(source.path.relative_to(ROOT).with_suffix("").parts)


@each_source
def test_module_says_what_it_is(source: Source) -> None:
    assert source.docstring.strip()


@pytest.mark.parametrize("package", PACKAGES)
def test_hardly_any_function_is_long(package: str) -> None:
    lengths = {
        f"{source.name}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for source in load_sources(package)
        for node in functions(source)
    }
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert len(long) <= max(1, len(lengths) // 33), long


@each_source
def test_broad_except_only_at_an_edge(source: Source) -> None:
    broad = [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    ]
    assert not broad or EDGES.search(source.name), f"broad except in lines {broad}"


@each_source
def test_verify_raises_and_is_answers(source: Source) -> None:
    if source.name.startswith("ledger/verify/"):
        return  # an audit's checks go on after a failure: they record what they find and pass on what they read
    wrong = [
        f"{node.name} -> {ast.unparse(node.returns) if node.returns else '?'}"
        for node in functions(source)
        for verb, answer in (("verify_", "None"), ("is_", "bool"))
        if node.name.startswith(verb)
        and not node.name.startswith("verify_or_")
        and node.returns is not None
        and not re.fullmatch(rf"{answer}|TypeGuard\[.*\]|TypeIs\[.*\]", ast.unparse(node.returns))
    ]
    assert not wrong


@each_source
def test_dataclasses_of_the_pure_packages_are_frozen(source: Source) -> None:
    if not source.name.startswith("ledger/"):
        return
    thawed = [
        node.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if is_dataclass(decorator) and keywords(decorator).get("frozen") is not True
    ]
    assert not thawed


@each_source
def test_tables_stand_in_tables_files(source: Source) -> None:
    tables = [
        node.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        and any(word.arg == "table" and ast.unparse(word.value) == "True" for word in node.keywords)
    ]
    assert not tables or source.path.name == "tables.py", tables


@each_source
def test_words_are_those_of_the_glossary(source: Source) -> None:
    names = {node.name for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names |= {node.arg for node in ast.walk(source.tree) if isinstance(node, ast.arg)}
    names |= {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    assert not {name for name in names if NOT_OUR_WORDS.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())}


def test_no_path_of_one_machine_and_no_registry_host() -> None:
    texts = [
        path
        for pattern in ("*.py", "*.md", "*.toml", "*.txt", "*.json", "*.mjs", "*.sol", "*.sh", "Makefile", "run")
        for path in find_files(ROOT, pattern)
        if ".git" not in path.parts and path.name != "test_style.py"
    ]
    found = {
        str(path.relative_to(ROOT)): match.group()
        for path in texts
        for match in [pattern.search(path.read_text(encoding="utf-8")) for pattern in (MACHINE_PATHS, REGISTRY_HOSTS)]
        if match
    }
    assert not found
