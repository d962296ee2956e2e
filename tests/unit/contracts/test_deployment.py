"""The deployment file: strict, and naming the field that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.deployment import Deployment, MalformedDeployment

DEPLOYMENT = Deployment(
    chain_id=31337,
    tally_token=b"\x11" * 20,
    node_registry=b"\x22" * 20,
    job_ledger=b"\x33" * 20,
    challenge_court=bytes(20),
    witness_quorum=b"\x55" * 20,
    block=7,
    code_hashes={
        "TallyToken": b"\x01" * 32,
        "NodeRegistry": b"\x02" * 32,
        "JobLedger": b"\x03" * 32,
        "WitnessQuorum": b"\x05" * 32,
    },
)


def change(**changes: Any) -> dict[str, Any]:
    return {**DEPLOYMENT.to_json(), **changes}


def test_json_and_back() -> None:
    assert Deployment.from_json(json.loads(json.dumps(DEPLOYMENT.to_json()))) == DEPLOYMENT
    assert DEPLOYMENT.to_json()["challengeCourt"] is None
    assert "ChallengeCourt" not in DEPLOYMENT.addresses


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "the file"),
        ({}, "the file"),
        (change(more=1), "the file"),
        (change(protocol=2), "protocol"),
        (change(chainId="31337"), "chainId"),
        (change(chainId=True), "chainId"),
        (change(block=-1), "block"),
        (change(block=1.0), "block"),
        (change(jobLedger=None), "jobLedger"),
        (change(jobLedger="0x" + "00" * 20), "jobLedger"),
        (change(nodeRegistry="0x22"), "nodeRegistry"),
        (change(tallyToken="0x" + "aB" * 20), "tallyToken"),
        (change(codeHashes={}), "codeHashes"),
        (change(challengeCourt="0x" + "44" * 20), "codeHashes"),
        (change(codeHashes={**change()["codeHashes"], "JobLedger": "0x33"}), "codeHashes.JobLedger"),
    ],
)
def test_wrong_file_names_the_field(value: object, field: str) -> None:
    with pytest.raises(MalformedDeployment) as refusal:
        Deployment.from_json(value, "some.json")
    assert refusal.value.field == field
    assert str(refusal.value).startswith(f"some.json: expected {field} to be")


def test_file_that_is_not_json_is_malformed(tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    path.write_bytes(b"\xff{")
    with pytest.raises(MalformedDeployment, match="UTF-8 JSON"):
        Deployment.load(path)
