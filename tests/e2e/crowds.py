"""Many nodes in one process, each with a part of its own, and what became of each on chain."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

from client import calls
from client.api import Api
from client.home import Home
from client.identity import Identity
from client.seed import Seed, save_seed
from ledger.entry import SCORE_BITS, Verdict
from ledger.evidence import OPENINGS, decode_openings
from ledger.hashing import keccak256
from ledger.hexadecimal import to_address
from ledger.signatures import Signer
from tests.e2e.gate import wait_until
from tests.e2e.programs import Program
from tests.e2e.world import KEYSTORE_WORK, PASSPHRASE, World


@dataclass(frozen=True)
class Crowd:
    """A fleet: the part and the node of each, in order."""

    name: str
    parts: Sequence[str]
    nodes: Sequence[bytes]
    program: Program


@dataclass
class Record:
    """One node's job: its balance on chain in base units, its newest `earned`, and what its entries say by round."""

    part: str
    balance: int
    earned: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    scores: list[int] = field(default_factory=list)
    rewards: list[int] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)

    def compute_pay(self, honest: Sequence["Record"]) -> float:
        """Pay by the mean of these nodes, over all rounds or from the second on: whichever is more.

        Most of what can be copied or replayed exists from the second round on, and the first pays best.
        """
        spans = (slice(0, None), slice(1, None))
        return max(sum(self.rewards[span]) / mean(sum(one.rewards[span]) for one in honest) for span in spans)


def start_crowd(world: World, name: str, parts: Sequence[str], files: Sequence[Path]) -> Crowd:
    """`tally node fleet` in a home of its own, a file and a part for each node; its keys follow from its name."""
    seed = Seed(hashlib.sha256(name.encode()).digest())
    save_seed(Home(world.folder / name).fleet_seed, seed, PASSPHRASE, KEYSTORE_WORK)
    folder = world.folder / f"{name}-data"
    folder.mkdir()
    for number, file in enumerate(files):
        (folder / f"{number:03d}.json").write_bytes(file.read_bytes())
    command = ["tally", "node", "fleet", "--data", str(folder), "--count", str(len(parts)), "--payout", "node"]
    owner = ["--operator", to_address(b"\x77" * 20), "--threads", "1"]
    chosen = [word for part in parts for word in ("--update", part)]
    program = world.launch(name, [*command, *owner, *chosen], world.client(name))
    return Crowd(name, parts, [signer.address for signer in seed.derive(len(parts))], program)


def wait_present(world: World, crowds: Sequence[Crowd]) -> None:
    """Until every node of the crowds is there. Raises ProgramFailed when a crowd has ended instead."""
    everyone = {node for crowd in crowds for node in crowd.nodes}

    def are_present() -> bool:
        for crowd in crowds:
            crowd.program.check()
        return everyone == {view.node for view in world.api.fetch(calls.nodes()) if view.present}

    wait_until(f"{len(everyone)} nodes present", are_present, 180)


def claim(world: World, crowds: Sequence[Crowd]) -> None:
    """`tally node claim` for all nodes of each crowd, at once."""
    command = ["tally", "node", "claim", "--json"]
    for running in [world.launch(f"claim-{crowd.name}", command, world.client(crowd.name)) for crowd in crowds]:
        running.wait()


def read_records(world: World, job: bytes, crowds: Sequence[Crowd]) -> Mapping[bytes, Record]:
    """Reads every entry and opening of the job as an auditor who signs in, and the balances from the chain."""
    records = {
        node: Record(part, world.gateway.fetch_token_balance(node))
        for crowd in crowds
        for node, part in zip(crowd.nodes, crowd.parts, strict=True)
    }
    with Api(world.gate.url) as api:
        auditor = Identity(api, Signer(keccak256(b"an auditor")), world.deployment.chain_id)
        for view in api.fetch(calls.rounds(job)):
            openings = decode_openings(auditor.fetch(calls.evidence(job, view.round, OPENINGS)))
            entries = api.fetch(calls.entries(job, view.round))
            for entry, opening in zip(entries, openings, strict=True):
                assert opening is not None
                record, body = records[entry.node], entry.body
                record.verdicts.append(Verdict(body.verdict))
                record.weights.append(body.weight)
                record.scores.append(body.score)
                record.rewards.append(body.reward)
                record.payloads.append(opening.payload_sha256)
                record.earned = entry.earned
    return records


def show_table(records: Sequence[Record], honest: Sequence[Record]) -> str:
    """A line a node: part, verdicts by round, pay where an honest node has 1, scores by round in nats."""
    lines = [f"{'part':<26}{'verdicts':<10}{'pay':>7}   scores"]
    for one in records:
        verdicts = "".join(str(int(verdict)) for verdict in one.verdicts)
        scores = " ".join(f"{score / 2**SCORE_BITS:+.5f}" for score in one.scores)
        lines.append(f"{one.part:<26}{verdicts:<10}{one.compute_pay(honest):>7.3f}   {scores}")
    return "\n".join(lines)
