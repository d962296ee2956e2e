"""A watchtower that is killed anywhere, whose provider fails, whose chain forks: it sends once, and it gets there."""

import asyncio
import json
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from client.auditor.policy import Policy
from client.auditor.watch.docket import DocketUnusable
from client.auditor.watch.equipping import GasMissing, TowerRunning, equip
from client.auditor.watch.metrics import serve_metrics
from client.auditor.watch.place import PlaceUnusable
from client.errors import UsageRefused
from client.home import Home
from contracts.challenges import CourtCalls, PostedJob
from contracts.court_events import ChallengeCommitted, ChallengeUpheld
from contracts.errors import ChainUnreachable, ContractMissing, WrongChain
from contracts.sender import Sender
from contracts.transactions import SignedTransaction
from ledger.faults.case import Case
from ledger.faults.finding import find_faults
from ledger.faults.gathering import gather
from ledger.signatures import Signer
from ledger.statements import RoundHeader
from tests.chain.provider import run_provider
from tests.dishonest.coordinator import draft_sealed, post, publish_lie
from tests.dishonest.lies import LIES, Lie
from tests.dishonest.stage import COORDINATOR, WINDOW, Scene
from tests.dishonest.test_watchtower import expect_struck
from tests.dishonest.watching import CHAIN_ID, Auditor

OVERPAY: Lie = next(lie for lie in LIES if lie.name == "overpay")
STRANGER = 4


def count(scene: Scene, kind: type[ChallengeCommitted | ChallengeUpheld]) -> int:
    head = scene.gateway.fetch_head().number
    return len(scene.gateway.fetch_events(scene.stage.deployment.block, head, (kind,)))


@pytest.mark.parametrize("sent_first", [True, False], ids=["sent, not noted", "kept, not sent"])
@pytest.mark.parametrize("nth", [1, 2], ids=["commitment", "proof"])
async def test_killed_watchtower_goes_on_and_sends_once(
    scene: Scene, auditor: Auditor, monkeypatch: pytest.MonkeyPatch, nth: int, sent_first: bool
) -> None:
    broadcast, calls = Sender.broadcast, [0]

    def fail_at(sender: Sender, transaction: SignedTransaction) -> None:
        calls[0] += 1
        if calls[0] != nth or sent_first:
            broadcast(sender, transaction)
        if calls[0] == nth:
            raise ChainUnreachable("http://127.0.0.1:1", "no answer", 1)

    publish_lie(scene, OVERPAY, 1)
    with monkeypatch.context() as patch:
        patch.setattr(Sender, "broadcast", fail_at)
        await auditor.watch()
    assert await auditor.watch() == 1
    assert (count(scene, ChallengeCommitted), count(scene, ChallengeUpheld)) == (1, 1)
    assert auditor.count_transactions() == 2
    await expect_struck(scene, auditor)


async def test_provider_that_fails_is_told_once_and_survived(scene: Scene, auditor: Auditor) -> None:
    publish_lie(scene, OVERPAY, 1)
    with run_provider(scene.stage.chain.url) as provider:
        auditor.rpc = provider.url
        with equip(auditor.order(), Home(auditor.home)) as tower:
            provider.silent = True
            assert not await asyncio.to_thread(tower.look)
            assert not await asyncio.to_thread(tower.look)
            assert tower.exit_code == 3
            assert tower.teller.counts["chain_unreachable", ""] == 1
            provider.silent = False
            provider.lose_replies = {"eth_sendRawTransaction"}
            await asyncio.to_thread(tower.look)
            provider.lose_replies = set()
            await asyncio.to_thread(tower.run_once, lambda _: scene.pass_time(1))
            assert tower.teller.counts["chain_reachable", ""] >= 1
            assert tower.exit_code == 1
    assert (count(scene, ChallengeCommitted), count(scene, ChallengeUpheld)) == (1, 1)
    await expect_struck(scene, auditor)


async def test_round_that_a_fork_replaces_is_looked_at_anew(scene: Scene, auditor: Auditor) -> None:
    before = scene.stage.chain.save()
    honest = draft_sealed(scene, 2)
    honest.publish()
    post(scene, honest)
    assert await auditor.watch() == 0
    scene.stage.chain.restore(before)
    scene.stage.chain.mine(3)
    publish_lie(scene, OVERPAY, 1)
    assert await auditor.watch() == 1
    assert [line["round"] for line in auditor.find("backed_up")] == [2]
    outcomes = [(line["round"], line["outcome"]) for line in auditor.find("round")]
    assert outcomes == [(1, "pass"), (2, "pass"), (2, "fail")]
    await expect_struck(scene, auditor)


async def test_fork_that_takes_a_challenge_back_brings_it_again(scene: Scene, auditor: Auditor) -> None:
    publish_lie(scene, OVERPAY, 1)
    before = scene.stage.chain.save()
    assert await auditor.watch() == 1
    assert count(scene, ChallengeUpheld) == 1
    scene.stage.chain.restore(before)
    scene.stage.chain.mine(2)
    # A transaction is sent again when it is in no block and was last sent some time ago.
    auditor.clock_ahead = 60
    assert await auditor.watch() == 1
    assert (count(scene, ChallengeCommitted), count(scene, ChallengeUpheld)) == (1, 1)
    state = scene.gateway.fetch_job(scene.stage.job)
    assert state is not None
    # Both are mined again at once, perhaps in one second: the proof is then shown again, or has no bounty.
    assert (state.halted, state.bond) == (2, 0)


async def test_proof_that_somebody_copied_leaves_the_bounty_to_the_first_commitment(
    scene: Scene, auditor: Auditor
) -> None:
    draft = publish_lie(scene, OVERPAY, 1)
    await auditor.watch(looks=1)
    assert count(scene, ChallengeCommitted) == 1
    scene.pass_time(1)
    show_uncommitted(scene, draft.header)
    assert await auditor.watch() == 1
    assert len(auditor.find("commitment_opened")) == 1
    assert scene.gateway.fetch_funds(auditor.address) == 0
    scene.pass_time(WINDOW)
    await auditor.watch()
    assert scene.gateway.fetch_funds(auditor.address) == scene.stage.terms.bond // 10


def show_uncommitted(scene: Scene, header: RoundHeader) -> None:
    """What a thief sends who saw the proof in the mempool."""
    stage, gateway = scene.stage, scene.gateway
    draft = draft_sealed(scene, 2)
    known = gather(gateway.domain, stage.terms, header, draft.publish()[1])
    fault = next(iter(find_faults(Case(gateway.domain, stage.terms, {2: known}))))
    posted = {event.round: event.anchor for event in gateway.fetch_posted_rounds(stage.job)}
    calls = CourtCalls(stage.deployment, gateway.execution.interfaces)
    call = calls.challenge(PostedJob(stage.terms, posted), fault, bytes(32))
    stage.sender(gateway, STRANGER).execute(call)


async def test_metrics_say_what_was_seen(scene: Scene, auditor: Auditor) -> None:
    publish_lie(scene, OVERPAY, 1)
    with equip(auditor.order(), Home(auditor.home)) as tower, serve_metrics(tower, "0") as url:
        await asyncio.to_thread(tower.run_once, lambda _: scene.pass_time(1))
        text = await asyncio.to_thread(fetch, url)
        with pytest.raises(urllib.error.HTTPError):
            await asyncio.to_thread(fetch, url.replace("/metrics", "/other"))
    job = f'job="0x{scene.stage.job.hex()}"'
    for line in (
        f'tally_watch_rounds{{{job},outcome="pass"}} 1',
        f'tally_watch_rounds{{{job},outcome="fail"}} 1',
        f"tally_watch_struck{{{job}}} 2",
        f"tally_watch_last_round{{{job}}} 2",
        'tally_watch_events_total{event="challenge_upheld"} 1',
        "# TYPE tally_watch_block gauge",
    ):
        assert line in text.splitlines()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 -- our own address
        content: bytes = answer.read()
        return content.decode()


async def test_second_watchtower_of_a_home_is_refused(scene: Scene, auditor: Auditor) -> None:
    with equip(auditor.order(), Home(auditor.home)), pytest.raises(TowerRunning):  # noqa: SIM117 -- one inside the other
        with equip(auditor.order(), Home(auditor.home)):
            pass


async def test_wrong_orders_are_refused_before_the_first_look(scene: Scene, auditor: Auditor, tmp_path: Path) -> None:
    order = auditor.order()
    poor = Signer(b"\x31" * 32)
    nonsense = tmp_path / "nonsense.json"
    nonsense.write_text('{"receipts": [1]}')
    for wrong, error, words in (
        (replace(order, signer=None), UsageRefused, "--wallet"),
        (replace(order, signer=poor), GasMissing, "native coin"),
        (replace(order, policy=Policy(1, order.policy.job_ledger)), WrongChain, "chain id 1"),
        (replace(order, policy=Policy(CHAIN_ID, b"\x01" * 20)), ContractMissing, "no code"),
        (replace(order, rpc="http://127.0.0.1:1"), ChainUnreachable, "expected an answer"),
        (replace(order, receipts=[nonsense]), UsageRefused, "nonsense.json"),
        (replace(order, receipts=[tmp_path / "none.json"]), UsageRefused, "cannot be read"),
    ):
        with pytest.raises(error, match=words), equip(wrong, Home(auditor.home)):
            pass


async def test_place_and_docket_that_were_changed_are_refused(scene: Scene, auditor: Auditor) -> None:
    publish_lie(scene, OVERPAY, 1)
    await auditor.watch()
    place = next(auditor.home.rglob("place.json"))
    kept = place.read_text()
    place.write_text(kept.replace(scene.stage.job.hex(), "00" * 32))
    with pytest.raises(PlaceUnusable, match="another chain, ledger or job"):
        await auditor.watch()
    place.write_text("{}")
    with pytest.raises(PlaceUnusable):
        await auditor.watch()
    place.write_text(kept)
    docket = next(auditor.home.rglob("docket-*.json"))
    docket.write_text(json.dumps({"version": 2}))
    with pytest.raises(DocketUnusable, match="version"):
        await auditor.watch()


async def test_wallet_that_runs_dry_says_so_and_goes_on(scene: Scene, auditor: Auditor) -> None:
    publish_lie(scene, OVERPAY, 1)
    rich = scene.gateway.fetch_balance(auditor.address)
    set_balance(scene, auditor.address, 1)
    assert await auditor.watch() == 1
    assert len(auditor.find("gas_unpaid")) == 1
    assert auditor.count_transactions() == 0
    set_balance(scene, auditor.address, rich)
    assert await auditor.watch() == 1
    await expect_struck(scene, auditor)


def set_balance(scene: Scene, address: bytes, amount: int) -> None:
    scene.gateway.rpc.send("anvil_setBalance", f"0x{address.hex()}", hex(amount))


async def test_coordinator_that_is_gone_is_told_and_demanded_from(scene: Scene, auditor: Auditor) -> None:
    """Evidence that never comes because the service is out is demanded like evidence that is kept back."""
    await scene.settle(1)
    order = replace(auditor.order(), coordinator="http://127.0.0.1:1", start_block=scene.stage.deployment.block)
    scene.pass_time(WINDOW // 6)
    with equip(order, Home(auditor.home)) as tower:
        await asyncio.to_thread(tower.run_once, lambda _: scene.pass_time(1))
        assert tower.exit_code == 3
        assert tower.teller.counts["coordinator_unreachable", ""] == 1
        assert tower.teller.counts["demand_sent", ""] == 4
    assert scene.gateway.fetch_balance(scene.stage.signer(COORDINATOR).address) > 0
