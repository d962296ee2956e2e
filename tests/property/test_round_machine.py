"""The law: rounds move along their table, and every receipt is one place in one chain and one entry of one tally.

Whatever nodes send, whenever the coordinator is killed; and the same bytes get the same answer.

The real services over a real SQLite file and real files; learning's own code computes the tallies, in this process.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from coordinator.compute.work import answer
from coordinator.context import Context
from coordinator.jobs import service as jobs
from coordinator.nodes import store as node_store
from coordinator.rounds import driver, intake, reveal, store
from coordinator.rounds import service as rounds
from coordinator.rounds.counter import build_receipt
from coordinator.rounds.moves import OPEN, SEALED
from coordinator.rounds.sealing import seal
from coordinator.rounds.tables import RoundRow
from coordinator.rounds.tallying import compute_sealing, load_account
from coordinator.schema import create_tables
from ledger import canonical, wire
from ledger.commitment import Opening, extend_accumulator, start_accumulator
from ledger.hashing import sha256
from ledger.statements import Contribution, Signed
from tests.coordination.people import DOMAIN, REPORT
from tests.coordination.premises import Premises
from tests.property.round_values import NODES, SIZE, check_entries, found_job, is_reachable, make_payload

ROUNDS = 3


class RoundMachine(RuleBasedStateMachine):
    """Nodes, a clock and a killer against one coordinator."""

    requests = Bundle("requests")
    asked: Mapping[str, object] = MappingProxyType({})

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="rounds-"))
        self.premises = Premises(self.folder)
        self.context: Context = self.premises.build()
        create_tables(self.context.database)
        self.answers: dict[bytes, bytes] = {}
        self.openings: dict[bytes, tuple[Opening, bytes]] = {}
        self.states: dict[int, str] = {}
        self.terms = found_job(self.context, ROUNDS, self.asked)
        self.job = self.terms.job_id()

    def teardown(self) -> None:
        self.context.database.close()
        shutil.rmtree(self.folder)

    # What happens

    @rule(seconds=st.sampled_from([1, 15, 40, 100]))
    def wait(self, seconds: int) -> None:
        self.premises.clock.advance(seconds)

    @rule()
    def kill(self) -> None:
        """Nothing is closed in order; what was not in the database or a file is gone."""
        self.context.database.close()
        self.context = self.premises.build()

    @rule(present=st.sets(st.sampled_from(NODES), min_size=1))
    def open(self, present: set[Any]) -> None:
        self._hear(present)
        self.look()

    @precondition(lambda self: "committing" in self.states.values())
    @rule(target=requests, choices=st.dictionaries(st.sampled_from(NODES), st.integers(0, 9), min_size=1))
    def commit(self, choices: dict[Any, int]) -> list[wire.ContributionRequest]:
        """Some nodes sign what the open round asks for, and send it together."""
        self._hear(set(choices))
        batch = [self._sign(signer, number) for signer, number in choices.items()]
        self._send(batch)
        return batch

    @rule(batch=requests)
    def repeat(self, batch: list[wire.ContributionRequest]) -> None:
        """What was sent is sent again, whatever became of it."""
        self._send(batch)

    @precondition(lambda self: "revealing" in self.states.values())
    @rule(chosen=st.sets(st.sampled_from(NODES), min_size=1))
    def reveal_some(self, chosen: set[Any]) -> None:
        with self.context.database.read() as session:
            newest = store.find_newest(session, self.job)
            assert newest is not None
            rows = store.list_contributions(session, self.job, newest.round)
        addresses = {signer.address for signer in chosen}
        for row in rows:
            if row.node in addresses:
                self._reveal(row.contribution)

    @rule(batch=requests)
    def reveal_at_any_time(self, batch: list[wire.ContributionRequest]) -> None:
        for request in batch:
            self._reveal(request.statement.digest(DOMAIN))

    @rule(target=requests, chosen=st.sets(st.sampled_from(NODES), min_size=3), number=st.integers(0, 3))
    def go_on(self, chosen: set[Any], number: int) -> list[wire.ContributionRequest]:
        """What brings the job forward, whatever state it is in; the other rules disturb it."""
        newest = self.states[max(self.states)] if self.states else ""
        if newest == "committing":
            self._hear(chosen)
            batch = [self._sign(signer, number) for signer in sorted(chosen, key=lambda signer: signer.address)]
            self._send(batch)
            return batch
        if newest == "revealing":
            self.reveal_some(chosen)
        elif newest == "tallying":
            self.tally(killed=False)
        else:
            self.open(chosen)
        return []

    def _hear(self, present: set[Any]) -> None:
        with self.context.database.write() as session:
            node_store.touch(session, {signer.address: self.context.now for signer in present})

    def _sign(self, signer: Any, number: int) -> wire.ContributionRequest:
        with self.context.database.read() as session:
            newest = store.find_newest(session, self.job)
        assert newest is not None
        payload = make_payload(number)
        opening = Opening(sha256(payload), bytes(32), sha256(signer.address + payload))
        report = self._report(newest, number)
        statement = Contribution(
            job=self.job,
            round=newest.round,
            node=signer.address,
            parent=newest.parent,
            base_model=newest.base_model,
            commitment=opening.struct_hash(),
            samples=1 + number,
            report=sha256(canonical.encode(report)),
        )
        self.openings[statement.digest(DOMAIN)] = (opening, payload)
        signed = Signed.issue(statement, DOMAIN, signer)
        return wire.ContributionRequest(statement=statement, signature=signed.signature, report=report)

    def _report(self, row: RoundRow, number: int) -> dict[str, str]:  # noqa: ARG002 -- here all say the same
        return REPORT

    def _send(self, batch: list[wire.ContributionRequest]) -> None:
        arrivals = [intake.examine(self.context, request) for request in batch]
        with self.context.database.write() as session:
            replies = intake.receive(session, self.context, arrivals)
        for arrival, reply in zip(arrivals, replies, strict=True):
            if isinstance(reply, bytes):
                assert self.answers.setdefault(arrival.digest, reply) == reply
            else:
                assert arrival.digest not in self.answers, reply

    def _reveal(self, digest: bytes) -> None:
        opening, payload = self.openings[digest]
        self.context.blobs.save(payload)
        problem = reveal.find_problem(payload, SIZE)
        with self.context.database.write() as session:
            (reply,) = reveal.record(session, self.context, [reveal.Reveal(digest, opening, problem)])
        if digest not in self.answers:
            assert isinstance(reply, Exception)

    @rule()
    def look(self) -> None:
        with self.context.database.read() as session:
            due = driver.find_due(session, self.context, timely=True)
        for job in due.openings:
            with self.context.database.write() as session:
                driver.open_due(session, self.context, job)
        for key in due.endings:
            with self.context.database.write() as session:
                driver.end_due(session, self.context, key)

    @precondition(lambda self: "tallying" in self.states.values())
    @rule(killed=st.booleans())
    def tally(self, killed: bool) -> None:
        """Compute the tally; a kill before the seal leaves files that mean nothing."""
        number = next(number for number, state in self.states.items() if state == "tallying")
        with self.context.database.read() as session:
            account = load_account(session, self.context, self.job, number)
        sealing = compute_sealing(self.context, account, answer(account.work))  # type: ignore[arg-type]  # RoundResult
        if killed:
            return
        with self.context.database.write() as session:
            assert seal(session, self.context, sealing)
            assert not seal(session, self.context, sealing)

    @precondition(lambda self: "sealed" in self.states.values())
    @rule(data=st.data())
    def anchor(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from([number for number, state in self.states.items() if state == "sealed"]))
        with self.context.database.write() as session:
            for _ in range(2):
                rounds.mark_anchored(session, self.job, number, final_at=9, transaction=bytes(32), block=2)

    @precondition(lambda self: "anchored" in self.states.values())
    @rule(back=st.booleans())
    def settle(self, back: bool) -> None:
        number = next(number for number, state in self.states.items() if state == "anchored")
        with self.context.database.write() as session:
            for _ in range(2):
                (rounds.mark_unanchored if back else rounds.mark_final)(session, self.job, number)

    # What always holds

    @invariant()
    def moves_are_legal(self) -> None:
        with self.context.database.read() as session:
            rows = store.list_rounds(session, self.job)
        now = {row.round: row.state for row in rows}
        assert list(now) == list(range(1, len(now) + 1))
        assert len(now) <= ROUNDS
        assert sum(state in OPEN for state in now.values()) <= 1
        for number, state in self.states.items():
            assert state == now[number] or is_reachable(state, now[number])
        self.states = now

    @invariant()
    def every_receipt_is_one_place_in_one_chain(self) -> None:
        with self.context.database.read() as session:
            for row in store.list_rounds(session, self.job):
                contributions = store.list_contributions(session, self.job, row.round)
                assert [known.seq for known in contributions] == list(range(row.count))
                assert len({known.node for known in contributions}) == row.count <= row.cohort <= 4
                accumulator = start_accumulator(self.job, row.round, row.parent)
                for known in contributions:
                    accumulator = extend_accumulator(accumulator, known.contribution)
                    assert known.accumulator == accumulator
                    assert self.answers[known.contribution] == intake.encode_receipt(build_receipt(known))
                assert row.accumulator == accumulator
                assert row.revealed == sum(known.payload is not None for known in contributions)
                if row.state == "committing":
                    assert row.revealed == 0
                else:
                    assert row.count > 0

    @invariant()
    def every_receipt_is_one_entry_and_money_adds_up(self) -> None:
        with self.context.database.read() as session:
            earned: dict[bytes, int] = {}
            parent = self.job
            for row in store.list_rounds(session, self.job):
                assert row.parent == parent
                if row.state in SEALED:
                    check_entries(session, row, earned)
                    assert row.header_digest is not None
                    parent = row.header_digest
            standings = store.list_standings(session, self.job)
            assert {node: known.earned for node, known in standings.items()} == earned
            job = jobs.load_job(session, self.job)
            assert job.spent == sum(earned.values()) <= ROUNDS * self.terms.budget_per_round


TestRoundMachine = RoundMachine.TestCase
TestRoundMachine.settings = settings(max_examples=25, stateful_step_count=35, deadline=None)
