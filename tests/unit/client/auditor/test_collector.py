import gc

import pytest

from client.auditor import Scope, audit
from tests.simulated.audit import play_three
from tests.simulated.sources import make_sources


@pytest.mark.parametrize("collecting", [True, False])
def test_audit_leaves_the_garbage_collector_as_it_was(collecting: bool) -> None:
    """Python's collector rests while a round is checked, not longer."""
    before = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        job = play_three()
        assert audit(job.id, make_sources(job), Scope(recompute=False)).exit_code == 0
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if before else gc.disable)()
