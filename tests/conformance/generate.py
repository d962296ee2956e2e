"""Writes the cases: `python -m tests.conformance.generate`; with `--play` a new good bundle first.

The chain's files of the good bundle are written anew in any case: they follow the storage layout of the ledger's build.

A case file says how to make its bundle of the good one: for each file that differs, which bytes are replaced by what;
null where it is left out.
"""

import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from pathlib import Path
from typing import Any

from client.auditor.evidence.archive import write_archive
from ledger.hexadecimal import to_address, to_hex
from tests.conformance.case import EXIT_CODES, UNREADABLE, Case
from tests.conformance.chain import CODE_HASH
from tests.conformance.draft import Files
from tests.conformance.good import FOLDER, GOOD, draw_keys, load_good, open_draft, play, prove_good
from tests.conformance.lies_chain import list_archives, list_chain
from tests.conformance.lies_draw import list_draw
from tests.conformance.lies_learning import list_learning
from tests.conformance.lies_statements import list_statements
from tests.conformance.lies_tally import list_tally
from tests.simulated.terms import CHAIN_ID, JOB_LEDGER

CASES = FOLDER / "cases"
POLICY = FOLDER / "policy.json"


def list_cases() -> list[Case]:
    """Every lie inside a readable archive."""
    return [*list_statements(), *list_tally(), *list_draw(), *list_learning(), *list_chain()]


def build_files(case: Case) -> tuple[Files, bytes]:
    """The files of a case's bundle, and the hash of its block."""
    draft = open_draft()
    after = case.lie(draft)
    files, block_hash = draft.seal()
    return (after(files) if callable(after) else files), block_hash


def render() -> dict[str, str]:
    """The text of every generated file by name: all cases, and the policy they are verified under."""
    texts = {f"cases/{case.name}.json": _write(_describe(case)) for case in list_cases()}
    for what, make in list_archives():
        texts[f"cases/archive--{what}.json"] = _write(_describe_archive(what, make(load_good())))
    texts["policy.json"] = _write(describe_policy())
    return texts


def describe_policy() -> dict[str, Any]:
    """What an auditor of these bundles pins."""
    setting, _ = draw_keys()
    return {
        "chainId": CHAIN_ID,
        "jobLedger": to_address(JOB_LEDGER),
        "codeHash": to_hex(CODE_HASH),
        "coordinator": to_address(setting.coordinator.address),
        "finality": "newest",
    }


def splice(before: bytes, after: bytes) -> list[list[Any]]:
    """How to make one of the other: [from, to, put] in the order of the file; each character of `put` is a byte."""
    ours, theirs = _split(before), _split(after)
    places = [0, *accumulate(map(len, ours))]
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    return [
        [places[start], places[end], b"".join(theirs[first:last]).decode("latin-1")]
        for kind, start, end, first, last in matcher.get_opcodes()
        if kind != "equal"
    ]


def apply(before: bytes, edits: Sequence[Sequence[Any]]) -> bytes:
    """Makes what `splice` described."""
    after, reached = b"", 0
    for start, end, put in edits:
        after += before[reached:start] + put.encode("latin-1")
        reached = end
    return after + before[reached:]


def _split(content: bytes) -> list[bytes]:
    """Pieces in which JSON and zips differ: between quotes, and between the marks of a zip."""
    return [piece for piece in re.split(rb'("|PK)', content) if piece]


def _describe(case: Case) -> dict[str, Any]:
    good, (files, block_hash) = load_good(), build_files(case)
    edits: dict[str, Any] = {name: None for name in good if name not in files}
    edits |= {
        name: splice(good.get(name, b""), content) for name, content in files.items() if good.get(name) != content
    }
    return {
        "check": case.check,
        "outcome": case.outcome,
        "exitCode": EXIT_CODES[case.outcome],
        "othersMayFail": case.others,
        "blockHash": to_hex(block_hash),
        "files": dict(sorted(edits.items())),
    }


def _describe_archive(what: str, content: bytes) -> dict[str, Any]:
    """An archive that no reader may take: edits of the stored archive of the good files."""
    del what
    return {
        "check": "archive",
        "outcome": UNREADABLE,
        "exitCode": EXIT_CODES[UNREADABLE],
        "archive": splice(pack(load_good()), content),
    }


def pack(files: Files) -> bytes:
    """The archive of these files, stored."""
    target = io.BytesIO()
    write_archive(target, sorted(files.items()))
    return target.getvalue()


def _write(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> None:
    """Writes everything anew."""
    files = play() if "--play" in arguments else load_good() | prove_good()
    if files != load_good():
        with GOOD.open("wb") as target:
            write_archive(target, sorted(files.items()), deflate=True)
        load_good.cache_clear()
    texts = render()
    for path in CASES.glob("*.json"):
        if f"cases/{path.name}" not in texts:
            path.unlink()
    for name, text in texts.items():
        Path(FOLDER, name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
