"""The law of rounds that close at three contributions and take old ones: no more, no older, none at a false age."""

from types import MappingProxyType

from hypothesis import settings
from hypothesis.stateful import invariant

from coordinator.jobs import service as jobs
from coordinator.jobs.agreement import load_agreement
from coordinator.rounds import store
from coordinator.rounds.moves import SEALED
from coordinator.rounds.tables import RoundRow
from ledger import canonical
from ledger.age import read_age, verify_age
from ledger.entry import Entry, Verdict
from ledger.hexadecimal import to_hex
from ledger.spec import Cohort, Staleness
from ledger.weights import compute_weight
from tests.coordination.people import REPORT
from tests.property.test_round_machine import RoundMachine

CLOSES_AT = 3


class BufferedMachine(RoundMachine):
    """Nodes that say, truly or not, how old their model is."""

    asked = MappingProxyType({"cohort": Cohort(2, 4, CLOSES_AT), "staleness": Staleness(1, "0.5")})

    def _report(self, row: RoundRow, number: int) -> dict[str, str]:
        """Now and then an age that is not the model's, or no age at all."""
        age, model = number % 3, row.base_model
        with self.context.database.read() as session:
            trained_in = store.find_round(session, self.job, row.round - number % 2)
        if number % 5:
            model = model if trained_in is None else trained_in.base_model
            age = 0 if model == row.base_model else 1
        return REPORT if number == 9 else {**REPORT, "age": str(age), "trainedFrom": to_hex(model)}

    @invariant()
    def round_is_closed_by_its_kth_contribution(self) -> None:
        with self.context.database.read() as session:
            for row in store.list_rounds(session, self.job):
                assert row.count <= CLOSES_AT
                assert row.state != "committing" or row.count < CLOSES_AT

    @invariant()
    def every_age_is_that_of_the_model_and_decides_the_weight(self) -> None:
        with self.context.database.read() as session:
            spec = load_agreement(jobs.load_job(session, self.job)).spec
            bases: list[bytes] = []
            for row in store.list_rounds(session, self.job):
                bases.insert(0, row.base_model)
                contributions = store.list_contributions(session, self.job, row.round)
                for known in contributions:
                    verify_age(spec, known.report, bases)
                if row.state in SEALED:
                    entries = [
                        Entry.from_json(canonical.decode(one.entry))
                        for one in store.list_entries(session, self.job, row.round)
                    ]
                    for entry, known in zip(entries, contributions, strict=True):
                        accepted = entry.body.verdict == Verdict.ACCEPTED
                        expected = compute_weight(spec, age=read_age(spec, known.report)) if accepted else 0
                        assert entry.body.weight == expected


TestBufferedMachine = BufferedMachine.TestCase
TestBufferedMachine.settings = settings(max_examples=20, stateful_step_count=35, deadline=None)
