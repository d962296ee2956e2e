"""The table of checks in docs/auditors.md, as the programs have it."""

import re

from client.auditor.checks import ALL_CHECKS
from tests.architecture.sources import ROOT

DOCUMENT = ROOT / "docs" / "auditors.md"
_TABLE = re.compile(r"<!-- checks -->\n.*<!-- end -->", re.DOTALL)


def render_auditors() -> str:
    """docs/auditors.md: the prose as it stands, the table anew."""
    head = "| # | id | passes when | if it fails |\n| --- | --- | --- | --- |\n"
    rows = "".join(
        f"| {check.number} | `{check.id}` | {check.meaning} | {check.failing} |\n" for check in ALL_CHECKS.values()
    )
    text = DOCUMENT.read_text(encoding="utf-8")
    return _TABLE.sub(lambda _: f"<!-- checks -->\n{head}{rows}<!-- end -->", text)
