"""The rules of the house style that a machine can check and that ruff and mypy do not.

Each rule is a function from a source to what is wrong in it; each is also shown a source that breaks it.
"""

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.sources import PACKAGES, ROOT, Source, find_files, load_sources, parse

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
FORBIDDEN_MODULES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
# A program's edges: where a broad except may stand, with the traceback logged.
EDGES = re.compile(r"(^|/)(cli|worker|app|supervisor|edge|__main__)(_\w+)?\.py$|(^|/)cli/")
# Words of the glossary's column "not", as far as no library forces them on us.
NOT_OUR_WORDS = re.compile(r"(^|_)(submission|participants?|reputation|pledge|aggregator|dispute|payee)s?(_|$)")

MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home)/\w")
REGISTRY_HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org|proxy\.golang")
TEXTS = ("*.py", "*.md", "*.toml", "*.txt", "*.json", "*.mjs", "*.js", "*.sol", "*.tree", "*.sh", "Makefile", "run")


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def classes(source: Source) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef))


def keywords(call: ast.expr) -> dict[str | None, str]:
    return {word.arg: ast.unparse(word.value) for word in call.keywords} if isinstance(call, ast.Call) else {}


def is_dataclass(decorator: ast.expr) -> bool:
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(name) in ("dataclass", "dataclasses.dataclass")


def find_long_file(source: Source) -> Iterator[str]:
    """A file of over 300 lines whose docstring does not say why."""
    lines = source.text.count("\n")
    if lines > LONGEST_FILE and "300 lines" not in source.docstring:
        yield f"{lines} lines, and no reason in its docstring"


def find_forbidden_name(source: Source) -> Iterator[str]:
    """A module named after nothing of the field."""
    yield from FORBIDDEN_MODULES.intersection(source.path.relative_to(ROOT).with_suffix("").parts)


def find_silent_module(source: Source) -> Iterator[str]:
    """A module that does not say what it is."""
    if not source.docstring.strip():
        yield "no docstring"


def find_broad_except(source: Source) -> Iterator[str]:
    """A broad except that does not raise again, away from a program's edge."""
    if EDGES.search(source.name):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and (
            node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
        ):
            raises = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
            if not raises:
                yield f"broad except in line {node.lineno}"


def find_wrong_verb(source: Source) -> Iterator[str]:
    """`verify_x` that answers, or `is_x` that does not."""
    if source.name.startswith("ledger/verify/"):
        return  # an audit's checks go on after a failure: they record what they find and pass on what they read
    for node in functions(source):
        answer = ast.unparse(node.returns) if node.returns else "nothing stated"
        if node.name.startswith("verify_") and not node.name.startswith("verify_or_") and answer != "None":
            yield f"{node.name} -> {answer}"
        if node.name.startswith("is_") and not re.fullmatch(r"bool|TypeGuard\[.*\]|TypeIs\[.*\]", answer):
            yield f"{node.name} -> {answer}"


def find_thawed_dataclass(source: Source) -> Iterator[str]:
    """A dataclass of the ledger that is not frozen."""
    if source.name.startswith("ledger/"):
        for node in classes(source):
            if any(is_dataclass(mark) and keywords(mark).get("frozen") != "True" for mark in node.decorator_list):
                yield node.name


def find_misplaced_table(source: Source) -> Iterator[str]:
    """An SQL table outside a file of tables."""
    for node in classes(source):
        is_table = any(word.arg == "table" and ast.unparse(word.value) == "True" for word in node.keywords)
        if is_table and source.path.name != "tables.py":
            yield node.name


def find_foreign_word(source: Source) -> Iterator[str]:
    """A name with a word for which the glossary has another."""
    names = {node.name for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names |= {node.arg for node in ast.walk(source.tree) if isinstance(node, ast.arg)}
    names |= {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    for name in names:
        if NOT_OUR_WORDS.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()):
            yield name


Rule = Callable[[Source], Iterator[str]]
BROKEN: dict[Rule, tuple[str, str]] = {
    find_long_file: ("ledger/tree.py", '"""Long."""\n' + "\n" * LONGEST_FILE),
    find_forbidden_name: ("ledger/utils.py", ""),
    find_silent_module: ("ledger/tree.py", "x = 1\n"),
    find_broad_except: (
        "ledger/tree.py",
        "try:\n    x = 1\nexcept Exception as error:\n    raise ValueError from error\n",
    ),
    find_wrong_verb: ("client/api.py", "def verify_x() -> bool: ...\n"),
    find_thawed_dataclass: ("ledger/tree.py", "@dataclass(slots=True)\nclass Leaf: ...\n"),
    find_misplaced_table: ("coordinator/jobs/store.py", "class Row(SQLModel, table=True): ...\n"),
    find_foreign_word: ("coordinator/jobs/store.py", "def count(participants: int) -> int: ...\n"),
}
each_rule = pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)


@each_rule
def test_rule_is_kept(rule: Rule) -> None:
    found = {source.name: list(rule(source)) for source in load_sources(*PACKAGES)}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@each_rule
def test_rule_sees_what_breaks_it(rule: Rule) -> None:
    name, text = BROKEN[rule]
    assert list(rule(parse(ROOT / name, text)))


def test_no_test_file_is_too_long() -> None:
    found = {source.name: list(find_long_file(source)) for source in load_sources("tests")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_hardly_any_function_is_long(package: str) -> None:
    lengths = {
        f"{source.name}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for source in load_sources(package)
        for node in functions(source)
    }
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert len(long) <= max(1, len(lengths) // 33), long


def test_no_path_of_one_machine_and_no_registry_host() -> None:
    found = {}
    for path in find_files(ROOT, *TEXTS):
        text = path.read_text(encoding="utf-8")
        match = MACHINE_PATHS.search(text) or REGISTRY_HOSTS.search(text)
        if match and path.name != "test_style.py":
            found[path.relative_to(ROOT).as_posix()] = match.group()
    assert found == {}
