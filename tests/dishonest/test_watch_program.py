"""`tally audit watch` and `tally audit withdraw` as processes: a lie is struck, and what that earned is drawn."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from client.auditor.policy import Policy
from client.home import Home
from client.wallet import encrypt_secret, save_keystore
from ledger.hexadecimal import to_hex
from tests.dishonest.coordinator import publish_lie
from tests.dishonest.lies import LIES
from tests.dishonest.stage import AUDITOR, Scene
from tests.dishonest.test_watchtower import expect_struck
from tests.dishonest.watching import CHAIN_ID, Auditor
from tests.e2e.programs import Program, run

PASSPHRASE = "a passphrase of tests"


@asynccontextmanager
async def blocks(scene: Scene) -> AsyncIterator[None]:
    """A block every half second, as on any chain."""

    async def mine() -> None:
        while True:
            await asyncio.to_thread(scene.pass_time, 1)
            await asyncio.sleep(0.5)

    mining = asyncio.create_task(mine())
    try:
        yield
    finally:
        mining.cancel()
        with suppress(asyncio.CancelledError):
            await mining


def furnish(scene: Scene, home: Path) -> dict[str, str]:
    """An auditor's home: a wallet, and the ledger pinned."""
    home.mkdir(parents=True, exist_ok=True)
    secret = scene.stage.chain.chain.accounts[AUDITOR].private_key
    save_keystore(home / "auditor-wallet.json", encrypt_secret(secret, PASSPHRASE, 1_024))
    (home / "passphrase").write_text(PASSPHRASE)
    Policy(CHAIN_ID, scene.stage.deployment.job_ledger).save(Home(home))
    return {
        "TALLY_HOME": str(home),
        "TALLY_COORDINATOR": scene.url,
        "TALLY_RPC": scene.stage.chain.url,
        "TALLY_PASSPHRASE_FILE": str(home / "passphrase"),
    }


async def tally(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(run, ["tally", "audit", *words], environment)


async def test_lie_is_struck_by_the_program_and_its_bounty_drawn(scene: Scene, auditor: Auditor) -> None:
    environment = furnish(scene, auditor.home)
    draft = publish_lie(scene, next(lie for lie in LIES if lie.name == "omit"), 1)
    receipts = auditor.home / "receipts.json"
    receipts.write_text(json.dumps([one.to_json() for one in draft.told.receipts]))
    job, wallet = to_hex(scene.stage.job), str(auditor.home / "auditor-wallet.json")
    options = ["--challenge", "--wallet", wallet, "--receipts", str(receipts), "--once", "--no-recompute", "--json"]
    async with blocks(scene):
        watched = await tally(environment, "watch", job, *options)
    assert watched.returncode == 1, watched.stderr
    lines = [json.loads(line) for line in watched.stdout.splitlines()]
    assert {"fault", "challenge_sent", "challenge_upheld", "round"} <= {line["event"] for line in lines}
    await expect_struck(scene, auditor)
    before = scene.gateway.fetch_token_balance(auditor.address)
    drawn = await tally(environment, "withdraw", "--wallet", wallet, "--json")
    assert drawn.returncode == 0, drawn.stderr
    bounty = scene.stage.terms.bond // 10
    assert json.loads(drawn.stdout)["tokens"] == str(bounty)
    assert scene.gateway.fetch_token_balance(auditor.address) == before + bounty


async def test_program_recomputes_an_honest_job_and_stops_when_told(scene: Scene, auditor: Auditor) -> None:
    environment = furnish(scene, auditor.home)
    await scene.settle(3)
    command = ["tally", "audit", "watch", to_hex(scene.stage.job), "--every", "0.2", "--metrics", "0"]
    program = Program("watch", command, environment, auditor.home)
    try:
        for _ in range(600):
            program.check()
            if program.log.read_text().count("all checks passed") == 2:
                break
            await asyncio.sleep(0.1)
        program.process.send_signal(signal.SIGTERM)
        said = await asyncio.to_thread(program.wait)
    finally:
        program.stop()
    assert "metrics at http://127.0.0.1:" in said
    assert said.count("all checks passed") == 2
    assert "CONTRADICTION" not in said
    assert "NOT CHECKED" not in said


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--challenge"], 2, "--wallet"),
        (["--chain-id", "5"], 2, "chain 31337"),
        (["--metrics", "nowhere"], 2, "--metrics"),
        (["--receipts", "/nowhere.json", "--once"], 2, "cannot be read"),
        (["--rpc", "http://127.0.0.1:1", "--once"], 3, "expected an answer from the chain"),
    ],
    ids=["no wallet", "chain", "metrics", "receipts", "provider"],
)
async def test_program_says_what_is_wrong(
    scene: Scene, auditor: Auditor, options: list[str], code: int, words: str
) -> None:
    environment = furnish(scene, auditor.home)
    ended = await tally(environment, "watch", to_hex(scene.stage.job), "--no-recompute", *options)
    assert (ended.returncode, words in ended.stderr) == (code, True), ended.stderr
    assert "Traceback" not in ended.stderr
