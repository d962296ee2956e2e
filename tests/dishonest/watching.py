"""An auditor's watchtower at a stage: the program's own composition root, run until nothing is left to do."""

import asyncio
import json
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from client.auditor.policy import Policy
from client.auditor.watch.equipping import Order, equip
from client.home import Home
from ledger.faults.case import Promises
from tests.chain.fixtures import wait_mined
from tests.dishonest.stage import AUDITOR, Scene

CHAIN_ID = 31337


@dataclass
class Auditor:
    """Runs watchtowers in one TALLY_HOME, one after another."""

    scene: Scene
    home: Path
    challenge: bool = True
    recompute: bool = False
    rpc: str = ""
    clock_ahead: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)

    async def watch(self, told: Promises | None = None, looks: int | None = None) -> int:
        """`tally audit watch --once --json`, or so many looks of it; returns its exit code and keeps its lines."""
        return await asyncio.to_thread(self._watch, told or Promises(), looks)

    def find(self, event: str) -> list[dict[str, Any]]:
        """Lines about an event, over all runs."""
        return [line for line in self.lines if line["event"] == event]

    @property
    def address(self) -> bytes:
        return self.scene.stage.signer(AUDITOR).address

    def count_transactions(self) -> int:
        return self.scene.stage.sender(self.scene.gateway, AUDITOR).fetch_mined_nonce()

    def order(self, told: Promises | None = None) -> Order:
        """What the command line would make of its options."""
        stage = self.scene.stage
        return Order(
            jobs=[stage.job],
            coordinator=self.scene.url,
            rpc=self.rpc or stage.chain.url,
            policy=Policy(CHAIN_ID, stage.deployment.job_ledger),
            # Else the coordinator would be asked, which lives on the event loop that opens the tower here.
            start_block=stage.deployment.block,
            recompute=self.recompute,
            challenge=self.challenge,
            signer=stage.signer(AUDITOR) if self.challenge else None,
            receipts=[_write(self.home / "promises.json", told or Promises())],
            as_json=True,
        )

    def _read_clock(self) -> float:
        return time.time() + self.clock_ahead

    def _watch(self, told: Promises, looks: int | None) -> int:
        stage, output = self.scene.stage, StringIO()
        with redirect_stdout(output), equip(self.order(told), Home(self.home), self._read_clock) as tower:
            if looks is None:
                # Nobody else mines here: while the tower waits for a block, one comes.
                tower.run_once(sleep=lambda _: stage.chain.pass_time(1))
            for _ in range(looks or 0):
                tower.look()
                wait_mined(stage.chain.rpc)
            code = tower.exit_code
        self.lines += [json.loads(line) for line in output.getvalue().splitlines()]
        return code


def _write(path: Path, told: Promises) -> Path:
    lists = {
        "receipts": [one.to_json() for one in told.receipts],
        "closings": [one.to_json() for one in told.closings],
        "headers": [one.to_json() for one in told.headers],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(lists))
    return path
