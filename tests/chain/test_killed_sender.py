"""A program killed at any step between signing and noting posts its round exactly once."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.gateway import Gateway
from contracts.transactions import Call, parse_transaction
from tests.chain.fixtures import TestChain
from tests.chain.life import NAT, Parties, begin, name_node

# Signs, keeps, broadcasts, notes; kills itself before the step named by its last argument.
PROGRAM = """
import json, os, pathlib, signal, sys
from contracts.deployment import Deployment
from contracts.gateway import Gateway
from contracts.sender import Sender
from contracts.transactions import Call
from ledger.signatures import Signer

url, folder, fatal_step = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]

def reach(step):
    if step == fatal_step:
        os.kill(os.getpid(), signal.SIGKILL)

need = json.loads((folder / "need.json").read_text())
gateway = Gateway.connect(url, Deployment.load(folder / "deployment.json"))
sender = Sender(gateway, Signer(bytes.fromhex(need["key"])))
transaction = sender.sign(Call(bytes.fromhex(need["target"]), bytes.fromhex(need["data"]), 0, "post"))
reach("keep")
(folder / "raw").write_bytes(transaction.raw)
reach("broadcast")
sender.broadcast(transaction)
reach("note")
"""


@pytest.mark.parametrize("fatal_step", ["keep", "broadcast", "note"])
@pytest.mark.parametrize("mining", [True, False])
def test_round_is_posted_once_whenever_its_sender_was_killed(
    dev_chain: TestChain, gateway: Gateway, parties: Parties, tmp_path: Path, fatal_step: str, mining: bool
) -> None:
    life = begin(gateway, parties)
    life.seal({name_node(1).address: NAT // 50})
    call = life.post_call(1)
    key = dev_chain.chain.accounts[2].private_key
    gateway.deployment.save(tmp_path / "deployment.json")
    need = {"key": key.hex(), "target": call.target.hex(), "data": call.data.hex()}
    (tmp_path / "need.json").write_text(json.dumps(need))
    if not mining:
        dev_chain.stop_mining()

    killed = subprocess.run([sys.executable, "-c", PROGRAM, dev_chain.url, str(tmp_path), fatal_step], check=False)
    assert killed.returncode == -signal.SIGKILL

    revived, kept = life.coordinator.sender, tmp_path / "raw"
    transaction = parse_transaction(kept.read_bytes(), "post") if kept.exists() else revived.sign(call)
    assert transaction.call == Call(call.target, call.data, 0, transaction.call.label)
    revived.broadcast(transaction)
    dev_chain.resume_mining()
    dev_chain.mine()
    assert revived.wait(transaction.hash).revert is None
    assert [event.round for event in gateway.fetch_posted_rounds(life.job)] == [1]
