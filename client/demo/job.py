"""The requester of the demo: a wallet, tokens, a job file, and `tally job create`."""

from __future__ import annotations

import json

from client.demo.processes import find_program
from client.demo.services import KEYSTORE_WORK, WINDOW_SECONDS, Services
from client.home import Home
from client.wallet import create_wallet
from ledger.hexadecimal import parse_hex, to_address

BUDGET_TOKENS = 1_000
PRICE_PER_NAT_TOKENS = 2_000
BOND_TOKENS = 20_000
PHASE_SECONDS = 60
ANCHOR_SECONDS = 600
SAMPLES_PER_VIEWER = 250


def create_job(services: Services, rounds: int, nodes: int) -> bytes:
    """Funds a requester, writes its job file, opens the job on chain and returns the job's id."""
    home = Home(services.folder / "requester")
    passphrase = services.material.passphrase.read_text(encoding="utf-8")
    requester = create_wallet(home.requester_wallet, passphrase, work=KEYSTORE_WORK)
    services.fund(to_address(requester.address), tokens=str(BUDGET_TOKENS * rounds))
    job_file = services.folder / "requester" / "job.json"
    job_file.write_text(json.dumps(_describe(services, rounds, nodes), indent=2), encoding="utf-8")
    command = [find_program("tally"), "job", "create", str(job_file), "--yes", "--json"]
    made = json.loads(services.stage.run("job-create", command, services.client("requester")))
    return parse_hex(made["job"], 32)


def _describe(services: Services, rounds: int, nodes: int) -> dict[str, object]:
    material = services.material
    return {
        "title": "What to watch next",
        "description": "A next-item recommender trained on the viewing histories of the community (MovieLens-100K).",
        "task": {"name": "recommender", "config": {"items": len(material.catalogue.titles)}},
        "initialModel": str(material.initial_model),
        "validation": str(material.validation),
        "holdout": str(material.holdout),
        "cohort": {"minimum": max(8, nodes // 2), "maximum": 1_000},
        "vouchers": {"platform": material.platform_address, "samplesPerViewer": SAMPLES_PER_VIEWER},
        "commitSeconds": PHASE_SECONDS,
        "revealSeconds": PHASE_SECONDS,
        "rounds": rounds,
        "budgetPerRound": str(BUDGET_TOKENS),
        "pricePerNat": str(PRICE_PER_NAT_TOKENS),
        "window": WINDOW_SECONDS,
        "anchorSeconds": ANCHOR_SECONDS,
        "bond": str(BOND_TOKENS),
    }
