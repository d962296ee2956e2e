"""What every test shares: no setting of the person who runs them reaches a program under test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from contracts.devchain import DevChain

# The ordinary run draws the same examples every time; HYPOTHESIS_PROFILE=deep (`make deep`) looks for new ones.
settings.register_profile(
    "ordinary", deadline=None, derandomize=True, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ordinary"))


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Removes the caller's TALLY_ variables and points TALLY_HOME at a folder of this run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TALLY_")]:
            patch.delenv(name)
        patch.setenv("TALLY_HOME", str(tmp_path_factory.mktemp("tally-home")))
        patch.setenv("NO_COLOR", "1")
        patch.setenv("COLUMNS", "120")
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root folder."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def dev_chain() -> Iterator[DevChain]:
    """An anvil on a free loopback port that mines a block for every transaction; one per test process."""
    with DevChain.start(block_seconds=None) as chain:
        yield chain
