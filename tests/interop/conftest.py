"""Other people's tools, as `make dev` installs them: Node.js with npm's packages, and Foundry's cast."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FOUNDRY = HERE.parents[1] / "contracts" / "node_modules" / "@foundry-rs"
# Where the machine has no Node.js, it is in the virtual environment, beside the Python that runs this.
SEARCH = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

RunScript = Callable[[str, Any], Any]
RunCast = Callable[..., str]


def run_tool(command: list[str], text: str | None = None) -> str:
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env=os.environ | {"PATH": SEARCH},
    )
    assert done.returncode == 0, f"{command[:3]} failed:\n{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="session")
def run_script() -> RunScript:
    """Runs tests/interop/NAME.mjs on a JSON value and returns its JSON answer."""
    node = shutil.which("node", path=SEARCH)
    assert node is not None, "Node.js is neither on PATH nor in the virtual environment: run `make dev`"
    return lambda name, value: json.loads(run_tool([node, str(HERE / f"{name}.mjs")], json.dumps(value)))


@pytest.fixture(scope="session")
def run_cast() -> RunCast:
    """Runs Foundry's cast with the given arguments and returns what it prints."""
    # The program itself: the script that npm puts before it ends with 0 whatever happened.
    found = sorted(FOUNDRY.glob("cast-*/bin/cast*"))
    assert found, "cast is not in contracts/node_modules: run `make dev`"
    return lambda *arguments: run_tool([str(found[0]), *arguments])
