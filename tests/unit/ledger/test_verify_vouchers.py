"""The check "voucher": whatever a coordinator makes anew around a false voucher, the audit turns red."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest

from ledger import canonical, evidence
from ledger.evidence import ReportedContribution, decode_contributions, encode_contributions
from ledger.hashing import sha256
from ledger.hexadecimal import to_hex
from ledger.spec import Vouchers
from ledger.statements import Signed, Voucher
from ledger.verify.bundle import RoundFiles
from ledger.verify.results import Outcome
from ledger.vouching import REPORTED
from tests.simulated.audit import Path, audit_round, audit_rounds, change_file, cover, find, flip, play_three, walk
from tests.simulated.job import SimulatedJob
from tests.simulated.terms import Setting, draw_setting, draw_signer, make_spec

ROUND = 2


@cache
def play(scoring_rule: str = "aumann-shapley") -> SimulatedJob:
    """Three rounds of five nodes that weigh by what the platform vouches for. Never change it."""
    setting = make_setting()
    spec = replace(
        make_spec(make_random(), scoring_rule),
        weight_rule="vouched-samples",
        vouchers=Vouchers(setting.platform.address, 60),
    )
    job = SimulatedJob(rounds=3, spec=spec, setting=setting)
    job.play(hidden=[3])
    job.play(absent=[1])
    job.play()
    return job


def make_random() -> Random:
    return Random(7)


def make_setting() -> Setting:
    return draw_setting(make_random())


def read(job: SimulatedJob, number: int = ROUND) -> list[ReportedContribution]:
    return decode_contributions(job.rounds[number - 1].bundle.files[evidence.CONTRIBUTIONS])


def publish(job: SimulatedJob, items: list[ReportedContribution]) -> RoundFiles:
    """The round with other contributions, under a manifest, header and anchor made anew."""
    bundle = job.rounds[ROUND - 1].bundle
    return cover(
        job, ROUND, replace(bundle, files={**bundle.files, evidence.CONTRIBUTIONS: encode_contributions(items)})
    )


def resign(job: SimulatedJob, item: ReportedContribution, voucher: Signed[Voucher] | None) -> ReportedContribution:
    """What a node does that is in league with the coordinator: it signs again, with another voucher in its report."""
    report = {name: text for name, text in item.report.items() if name != REPORTED}
    if voucher is not None:
        report[REPORTED] = to_hex(voucher.statement.digest(job.domain))
    samples = item.signed.statement.samples if voucher is None else voucher.statement.samples
    statement = replace(item.signed.statement, samples=samples, report=sha256(canonical.encode(report)))
    signer = next(node for node in job.nodes if node.address == statement.node)
    return ReportedContribution(Signed.issue(statement, job.domain, signer), report, voucher)


@pytest.mark.parametrize("scoring_rule", ["aumann-shapley", "by-weight"])
def test_honest_job_passes_every_check_and_weighs_by_its_vouchers(scoring_rule: str) -> None:
    job = play(scoring_rule)
    assert {result.outcome for result in audit_rounds(job)} == {Outcome.PASS}
    # 100 + node samples of 1, 2 or 3 viewers, 60 of each at most.
    assert [entry.body.weight for entry in job.rounds[2].tally.entries] == [60, 101, 102, 60, 104]


def list_members() -> Iterator[Path]:
    for path in walk(read(play())[0].to_json()):
        if path[0] == "voucher":
            yield path


@pytest.mark.parametrize("path", list(list_members()), ids=lambda path: str(path[-1]))
def test_flipped_byte_of_any_voucher_fails_voucher(path: Path) -> None:
    job = play()
    bundle = job.rounds[ROUND - 1].bundle
    for seq in range(4):
        for byte in (3, 40, 64) if path[-1] == "signature" else (-1,):
            content = flip(bundle.files[evidence.CONTRIBUTIONS], (seq, *path), byte)
            flipped = replace(bundle, files={**bundle.files, evidence.CONTRIBUTIONS: content})
            failed = find(audit_round(job, ROUND, flipped))
            assert {"voucher", "evidence-manifest"} <= failed, path
            assert "voucher" in find(audit_round(job, ROUND, cover(job, ROUND, flipped))), path


def other_node(job: SimulatedJob, item: ReportedContribution) -> Signed[Voucher] | None:
    return next(other.voucher for other in read(job) if other.signed.statement.node != item.signed.statement.node)


def other_round(job: SimulatedJob, item: ReportedContribution) -> Signed[Voucher] | None:
    node = item.signed.statement.node
    return next(other.voucher for other in read(job, 1) if other.signed.statement.node == node)


def other_job(job: SimulatedJob, item: ReportedContribution) -> Signed[Voucher] | None:
    assert item.voucher is not None
    return Signed.issue(replace(item.voucher.statement, job=sha256(b"another")), job.domain, job.setting.platform)


def other_platform(job: SimulatedJob, item: ReportedContribution) -> Signed[Voucher] | None:
    assert item.voucher is not None
    more = replace(item.voucher.statement, viewers=1_000, samples=60_000)
    return Signed.issue(more, job.domain, draw_signer(make_random()))


def for_nothing(job: SimulatedJob, item: ReportedContribution) -> Signed[Voucher] | None:
    assert item.voucher is not None
    return Signed.issue(replace(item.voucher.statement, viewers=0, samples=0), job.domain, job.setting.platform)


def none_at_all(job: SimulatedJob, item: ReportedContribution) -> Signed[Voucher] | None:
    del job, item
    return None


LIES: list[Callable[[SimulatedJob, ReportedContribution], Signed[Voucher] | None]] = [
    other_node,
    other_round,
    other_job,
    other_platform,
    for_nothing,
    none_at_all,
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_node_in_league_with_the_coordinator_is_seen(lie: Callable[..., Signed[Voucher] | None]) -> None:
    """Both sign again over the false voucher: signatures, reports and digests agree, and the check still fails."""
    job, items = play(), read(play())
    items[0] = resign(job, items[0], lie(job, items[0]))
    failed = find(audit_round(job, ROUND, publish(job, items)))
    assert "voucher" in failed
    assert not failed & {"contribution-signature", "report-digest", "evidence-manifest"}


def test_voucher_swapped_after_the_report_was_signed_is_seen() -> None:
    job, items = play(), read(play())
    assert items[0].voucher is not None
    more = Signed.issue(replace(items[0].voucher.statement, viewers=9), job.domain, job.setting.platform)
    items[0] = replace(items[0], voucher=more)
    failed = find(audit_round(job, ROUND, publish(job, items)))
    assert failed == {"voucher", "verdict-weight"}


def test_weight_that_does_not_follow_from_the_voucher_fails_verdict_weight() -> None:
    job = play()

    def lighten(entries: list[Any]) -> None:
        entries[2]["body"]["weight"] += 1

    changed = change_file(job.rounds[ROUND - 1].bundle, evidence.ENTRIES, lighten)
    assert "verdict-weight" in find(audit_round(job, ROUND, cover(job, ROUND, changed)))


def test_vouchers_in_a_job_that_weighs_all_alike_are_refused() -> None:
    job = play_three()
    items = read(job)
    voucher = Signed.issue(Voucher(job.id, ROUND, job.nodes[0].address, 1, 100), job.domain, job.setting.platform)
    items[0] = resign(job, items[0], voucher)
    assert "voucher" in find(audit_round(job, ROUND, publish(job, items)))


@pytest.mark.parametrize("value", [0, "", {}, [], {"statement": {}}, "0x"])
def test_voucher_of_another_form_fails_voucher(value: object) -> None:
    job = play()

    def change(items: list[Any]) -> None:
        items[1]["voucher"] = value

    changed = change_file(job.rounds[ROUND - 1].bundle, evidence.CONTRIBUTIONS, change)
    assert "voucher" in find(audit_round(job, ROUND, changed))


def test_contributions_without_the_member_are_malformed() -> None:
    job = play()

    def change(items: list[Any]) -> None:
        for item in items:
            del item["voucher"]

    changed = change_file(job.rounds[ROUND - 1].bundle, evidence.CONTRIBUTIONS, change)
    assert "contribution-fields" in find(audit_round(job, ROUND, changed))


def test_contributions_that_were_not_given_leave_the_check_unknown() -> None:
    job = play()
    bundle = job.rounds[ROUND - 1].bundle
    files = {name: content for name, content in bundle.files.items() if name != evidence.CONTRIBUTIONS}
    unknown = find(audit_round(job, ROUND, replace(bundle, files=files)), Outcome.UNKNOWN)
    assert {"voucher", "verdict-weight"} <= unknown
