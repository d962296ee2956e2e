"""A coordinator's database and settlement beside a real chain: rounds are sealed into it, settlement does the rest."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.gateway import Gateway
from coordinator.compute.supervisor import ComputeChild
from coordinator.context import Context
from coordinator.jobs.tables import JobRow
from coordinator.nodes.tables import NodeRow
from coordinator.rounds.tables import EntryRow, RoundRow, StandingRow
from coordinator.settings import CoordinatorSettings
from coordinator.settlement.settlement import Settlement
from coordinator.storage.bell import Bell
from coordinator.storage.blobs import BlobStore
from coordinator.storage.database import Database
from ledger import canonical
from ledger.signatures import Signer
from ledger.statements import Registration, Signed
from tests.chain.fixtures import wait_mined
from tests.chain.life import FAR, JobLife


@dataclass
class Desk:
    """One coordinator's settlement; `restart` is what a kill and a new start leave: the files, nothing else."""

    folder: Path
    life: JobLife
    gateway: Gateway
    context: Context
    settlement: Settlement

    @classmethod
    def open(cls, folder: Path, life: JobLife, gateway: Gateway) -> "Desk":
        settings = CoordinatorSettings(dev=True, data_dir=folder, confirmations=0)
        bell = Bell()
        database = Database(f"sqlite:///{(folder / 'coordinator.sqlite').as_posix()}", bell)
        database.create_tables()
        context = Context(
            settings=settings,
            deployment=gateway.deployment,
            signer=life.coordinator.signer,
            clock=lambda: gateway.fetch_head().timestamp,
            randomness=secrets.token_bytes,
            database=database,
            bell=bell,
            blobs=BlobStore(folder / "blobs"),
            compute=ComputeChild(),
        )
        return cls(folder, life, gateway, context, Settlement(context, gateway))

    def restart(self, gateway: Gateway | None = None) -> "Desk":
        self.close()
        return Desk.open(self.folder, self.life, gateway or self.gateway)

    def close(self) -> None:
        self.context.compute.close()
        self.context.database.close()

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.settlement.look()
            wait_mined(self.life.gateway.rpc)

    def accept_job(self) -> None:
        terms, acceptance = self.life.terms, self.life.issue_acceptance()
        with self.context.database.write() as session:
            session.add(
                JobRow(
                    job=terms.job_id(),
                    state="accepted",
                    spec=b"{}",
                    terms=canonical.encode(terms.to_json()),
                    requester=terms.requester,
                    parameters=1,
                    acceptance_deadline=acceptance.statement.deadline,
                    acceptance_signature=acceptance.signature,
                    created_at=0,
                    model=bytes(32),
                )
            )

    def hand_in(self, node: Signer, payout: bytes, deadline: int = FAR) -> None:
        """A node's signed registration, waiting for the relay."""
        registration = Registration(node.address, self.life.requester.address, payout, deadline)
        signed = Signed.issue(registration, self.gateway.registry_domain, node)
        with self.context.database.write() as session:
            session.add(
                NodeRow(
                    node=node.address,
                    operator=registration.operator,
                    payout=payout,
                    state="pending",
                    deadline=deadline,
                    signature=signed.signature,
                    registered_at=0,
                )
            )

    def seal(self, scores: Mapping[bytes, int], *, last: bool = False) -> int:
        """A sealed round in the database, as the rounds room leaves it; its number."""
        life = self.life
        header = life.seal(scores)
        tally = life.tallies[header.round]
        signed = Signed.issue(header, self.gateway.domain, life.coordinator.signer)
        row = RoundRow(
            job=life.job,
            round=header.round,
            state="sealed",
            parent=header.parent,
            base_model=header.base_model,
            seed=bytes(32),
            seed_digest=bytes(32),
            clip=1,
            opened_at=header.opened_at,
            commit_deadline=header.closed_at,
            accumulator=header.accumulator,
            cohort=header.count,
            count=header.count,
            header=canonical.encode(header.to_json()),
            header_digest=header.digest(self.gateway.domain),
            header_signature=signed.signature,
            next_model=header.next_model,
        )
        with self.context.database.write() as session:
            session.add(row)
            session.flush()
            for entry in tally.entries:
                session.add(
                    EntryRow(
                        job=life.job,
                        round=header.round,
                        seq=entry.seq,
                        node=entry.node,
                        body=entry.body.digest(),
                        entry=canonical.encode(entry.to_json()),
                        verdict=entry.body.verdict,
                        score=entry.body.score,
                        reward=entry.body.reward,
                        earned=entry.earned,
                    )
                )
                standing = session.get(StandingRow, (life.job, entry.node)) or StandingRow(
                    job=life.job, node=entry.node
                )
                standing.earned, standing.round = entry.earned, header.round
                session.add(standing)
            job = session.get_one(JobRow, life.job)
            job.rounds_sealed += 1
            job.state = "finished" if last else "running"
        return header.round

    def job(self) -> JobRow:
        with self.context.database.read() as session:
            return session.get_one(JobRow, self.life.job)

    def round(self, number: int) -> RoundRow:
        with self.context.database.read() as session:
            return session.get_one(RoundRow, (self.life.job, number))

    def node(self, address: bytes) -> NodeRow:
        with self.context.database.read() as session:
            return session.get_one(NodeRow, address)
