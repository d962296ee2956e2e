"""Durable receipts over HTTP: how many a second one coordinator issues, fsynced before each reply."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlmodel import Session, insert

from bench.environments import PEERS, ROOT
from bench.figures import PER_SECOND, SECONDS, at_least
from bench.intake_load import derive_signer
from bench.report import Report
from client.demo.processes import Stage, find_free_ports, find_program
from client.wallet import encrypt_secret, save_keystore
from contracts.deployment import Deployment
from coordinator.app import build_context
from coordinator.context import Context
from coordinator.jobs import acceptance
from coordinator.jobs.service import mark_opened
from coordinator.nodes.tables import NodeRow
from coordinator.schema import create_tables
from coordinator.settings import load_settings
from learning.tasks import get_task
from learning.tensors import write_model
from ledger import wire
from ledger.commitment import extend_accumulator, start_accumulator
from ledger.eip712 import compute_domain
from ledger.hashing import sha256
from ledger.signatures import Signer
from ledger.spec import Cohort, JobSpec, TaskChoice
from ledger.statements import Receipt, Signed, Terms

NODES, QUICK_NODES = 9_000, 1_500
CONNECTIONS = 128
PASSPHRASE = "of a bench"  # noqa: S105 -- of a wallet that is thrown away
KEYSTORE_WORK = 1_024
DAY = 86_400

_SECRET = sha256(b"bench coordinator")
_DEPLOYMENT = Deployment(
    chain_id=31_337,
    block=1,
    tally_token=b"\x11" * 20,
    node_registry=b"\x12" * 20,
    job_ledger=b"\x13" * 20,
    challenge_court=bytes(20),
    witness_quorum=bytes(20),
    code_hashes={name: bytes(32) for name in ("TallyToken", "NodeRegistry", "JobLedger")},
)


@dataclass(frozen=True)
class Place:
    """A coordinator's folder with one running job and its registered nodes."""

    folder: Path
    job: bytes
    model: bytes


def run(report: Report) -> None:
    """One round of many nodes, each contribution a request."""
    nodes = QUICK_NODES if report.quick else NODES
    PEERS.mkdir(exist_ok=True)
    # On the disk that the tree lies on: a temporary folder may be memory, where fsync costs nothing.
    with tempfile.TemporaryDirectory(prefix="intake-", dir=PEERS, ignore_cleanup_errors=True) as folder:
        report.say(f"preparing a job and {nodes} registered nodes")
        place = asyncio.run(_prepare(Path(folder), nodes))
        with _serve(place) as (port, process):
            report.say(f"signing {nodes} contributions and sending them over {CONNECTIONS} connections")
            measured = _load(place, port, nodes, process)
            _verify(place, port, nodes)
    _tell(report, measured, nodes)


def _tell(report: Report, measured: dict[str, Any], nodes: int) -> None:
    rate = nodes / measured["seconds"]
    server, load = (1e6 * measured[name] / nodes for name in ("server", "cpu"))
    how = (
        f"{nodes} contributions of as many nodes over {CONNECTIONS} connections from a process of its own, SQLite with "
        "synchronous=FULL on disk, coordinator with its worker; processor time a receipt: "
        f"coordinator {server:.0f} µs, load {load:.0f} µs; every receipt verified and chained afterwards"
    )
    bound = (
        f"{server:.0f} µs of processor time a receipt in the coordinator, which Python gives to one thread at a time, "
        "beside the load on the same two cores"
    )
    report.add("durable receipts over HTTP", PER_SECOND, rate, how=how, bar=at_least(1_500), bound=bound)
    for name, part in (("half", 0.5), ("99 of 100", 0.99)):
        latency = measured["latencies"][int(part * (nodes - 1))]
        report.add(f"wait for a receipt, {name}", SECONDS, latency, how=f"of the same run, {CONNECTIONS} in flight")


async def _prepare(folder: Path, nodes: int) -> Place:
    """A job that the chain has funded and nodes that it has registered, as the coordinator notes them."""
    _DEPLOYMENT.save(folder / "deployment.json")
    keystore = encrypt_secret(_SECRET, PASSPHRASE, KEYSTORE_WORK)
    save_keystore(folder / "coordinator.keystore.json", keystore)
    settings = load_settings(dev=True, data_dir=folder, deployment=folder / "deployment.json", min_window_seconds=5)
    context = build_context(settings, signer=Signer(_SECRET))
    try:
        create_tables(context.database)
        task = get_task("digits", {"hidden": 1})
        (model,) = context.blobs.save(write_model(task.layout, task.initial_model(1)))
        # One node more than contribute: the phase stays open to the end.
        spec = _write_spec(dict(task.config), model, Cohort(nodes, nodes + 1))
        requester = Signer(sha256(b"bench requester")).address
        terms = _write_terms(spec, requester, context.signer.address)
        request = wire.JobRequest(spec=dict(spec.to_json()), terms=terms)
        await acceptance.accept(context, requester, request)
        await context.database.run_write(_open, context, terms.job_id(), nodes + 1)
    finally:
        context.compute.close()
        context.database.close()
    return Place(folder, terms.job_id(), model)


def _open(session: Session, context: Context, job: bytes, nodes: int) -> None:
    mark_opened(session, job, at=context.now, block=2, block_hash=bytes(32), transaction=bytes(32))
    rows = []
    for number in range(nodes):
        address = derive_signer(number).address
        fields = {"node": address, "operator": b"\x77" * 20, "payout": address, "state": "registered"}
        rows.append(fields | {"registered_at": context.now, "last_seen_at": context.now})
    session.execute(insert(NodeRow), rows)


def _write_spec(config: dict[str, Any], model: bytes, cohort: Cohort) -> JobSpec:
    return JobSpec(
        title="bench",
        description="",
        task=TaskChoice("digits", config),
        initial_model=model,
        validation=None,
        validation_positions=1,
        cohort=cohort,
        commit_seconds=DAY // 2,
        reveal_seconds=DAY // 4,
        weight_rule="equal",
        clip_norm="10",
        fraction_bits=12,
        server_rate="1",
        server_momentum="0",
        aggregation_rule="mean",
        scoring_rule="by-weight",
        evidence_readers="public",
        retention_seconds=0,
        verifiable=False,
    )


def _write_terms(spec: JobSpec, requester: bytes, coordinator: bytes) -> Terms:
    return Terms(
        spec_digest=spec.digest(),
        requester=requester,
        coordinator=coordinator,
        token=_DEPLOYMENT.tally_token,
        rounds=1,
        budget_per_round=10**18,
        price_per_nat=10**18,
        window=60,
        anchor_seconds=DAY,
        bond=10**18,
        min_stake=0,
        witnesses=bytes(32),
        threshold=0,
        nonce=1,
    )


@contextmanager
def _serve(place: Place) -> Iterator[tuple[int, psutil.Process]]:
    """`tally-coordinator serve` as it is, on a free port; no chain answers, which this path does not need."""
    port, nowhere = find_free_ports(2)
    values = {
        "DEV": "true",
        "DATA_DIR": str(place.folder),
        "DEPLOYMENT": str(place.folder / "deployment.json"),
        "RPC_URL": f"http://127.0.0.1:{nowhere}",
        "PORT": str(port),
        "PASSPHRASE": PASSPHRASE,
        "MIN_WINDOW_SECONDS": "5",
        "PRESENCE_SECONDS": str(DAY),
    }
    environment = {f"TALLY_COORDINATOR_{name}": value for name, value in values.items()}
    with Stage(place.folder / "logs") as stage:
        stage.start("coordinator", [find_program("tally-coordinator"), "serve"], environment)
        stage.wait_until("coordinator", lambda: _is_committing(place, port), 60)
        yield port, psutil.Process(dict(stage.describe())["coordinator"])


def _is_committing(place: Place, port: int) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/rounds/0x{place.job.hex()}/1", timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json()["state"] == "committing"


def _load(place: Place, port: int, nodes: int, server: psutil.Process) -> dict[str, Any]:
    process = _start_load(place, port, nodes, salt=1)
    before = sum(server.cpu_times()[:2])
    measured = _release(process)
    return measured | {"server": sum(server.cpu_times()[:2]) - before}


def _start_load(place: Place, port: int, nodes: int, salt: int) -> subprocess.Popen[str]:
    """The generator, ready to send."""
    plan = {
        "chain": _DEPLOYMENT.chain_id,
        "ledger": _DEPLOYMENT.job_ledger.hex(),
        "job": place.job.hex(),
        "model": place.model.hex(),
        "port": port,
        "first": 0,
        "count": nodes,
        "connections": CONNECTIONS,
        "salt": salt,
        "answers": str(place.folder / f"answers-{salt}"),
    }
    command = [sys.executable, "-m", "bench.intake_load", json.dumps(plan)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", "the load did not begin"
    return process


def _release(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate("go\n", timeout=300)
    measured: dict[str, Any] = json.loads(output)
    return measured


def _verify(place: Place, port: int, nodes: int) -> None:
    """Every answer is a receipt of the coordinator, all in one chain; again the same bytes; another one is refused."""
    answers = (place.folder / "answers-1").read_bytes().split(b"\n")
    assert len(answers) == nodes
    accumulator = start_accumulator(place.job, 1, place.job)
    domain = compute_domain(_DEPLOYMENT.chain_id, _DEPLOYMENT.job_ledger)
    receipts = sorted((_read_receipt(answer) for answer in answers), key=lambda signed: signed.statement.seq)
    for seq, signed in enumerate(receipts):
        signed.verify(domain, Signer(_SECRET).address)
        accumulator = extend_accumulator(accumulator, signed.statement.contribution)
        assert (signed.statement.seq, signed.statement.accumulator) == (seq, accumulator)
    few = min(nodes, 300)
    _release(_start_load(place, port, few, salt=1))
    assert (place.folder / "answers-1").read_bytes().split(b"\n") == answers[:few]
    _release(_start_load(place, port, few, salt=2))
    for again, first in zip((place.folder / "answers-2").read_bytes().split(b"\n"), answers[:few], strict=True):
        assert again.startswith(b"409"), again[:80]
        assert json.loads(again[3:])["receipt"] == json.loads(first[3:])


def _read_receipt(answer: bytes) -> Signed[Receipt]:
    assert answer.startswith(b"200"), answer[:200]
    return Signed.from_json(Receipt, json.loads(answer[3:]))
