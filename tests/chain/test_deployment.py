"""Deployments: predicted, verified, refused where they are not what they should be."""

import dataclasses
from pathlib import Path

import pytest

from contracts.artifacts import load_artifact
from contracts.chain import Chain
from contracts.deploy import AddressDiffers, UnsettledSender, deploy, plan_deployment
from contracts.deployment import Deployment, DeploymentExists
from contracts.errors import ContractMissing, WrongChain
from contracts.gateway import Gateway
from contracts.inspection import DeploymentDiffers, inspect_deployment
from contracts.rpc import Rpc
from contracts.transactions import Call, compute_create_address
from tests.chain.fixtures import TestChain
from tests.chain.life import Parties
from tests.chain.provider import refuse, run_provider


def test_contracts_stand_where_predicted(gateway: Gateway, parties: Parties) -> None:
    sender = parties(3).sender
    plan = plan_deployment(sender)
    before = gateway.fetch_balance(sender.address)
    reported: list[str] = []
    done = deploy(sender, plan, lambda step: reported.append(step.contract))
    assert reported == ["TallyToken", "NodeRegistry", "JobLedger", "ChallengeCourt"]
    assert done.addresses == {step.contract: step.address for step in plan.steps}
    assert gateway.fetch_balance(sender.address) >= before - plan.most_cost
    with Gateway.connect(gateway.rpc.url, done) as other:
        assert other.fetch_token_balance(sender.address) == 10**27


def test_existing_token_is_used_instead_of_a_new_one(gateway: Gateway, parties: Parties) -> None:
    sender = parties(3).sender
    done = deploy(sender, plan_deployment(sender, token=gateway.deployment.tally_token))
    assert done.tally_token == gateway.deployment.tally_token
    assert done.job_ledger != gateway.deployment.job_ledger


def test_key_with_waiting_transactions_cannot_deploy(dev_chain: TestChain, gateway: Gateway, parties: Parties) -> None:
    dev_chain.stop_mining()
    sender = parties(3).sender
    sender.broadcast(sender.sign(gateway.calls.approve(b"\x01" * 20, 1)))
    with pytest.raises(UnsettledSender) as refusal:
        plan_deployment(sender)
    assert refusal.value.waiting == 1


def test_key_used_by_another_program_meanwhile_is_noticed(gateway: Gateway, parties: Parties) -> None:
    sender = parties(3).sender
    plan = plan_deployment(sender)
    parties(3).sender.execute(gateway.calls.approve(b"\x01" * 20, 1))
    with pytest.raises(AddressDiffers) as refusal:
        deploy(sender, plan)
    assert refusal.value.expected == plan.steps[0].address


def test_deployment_is_found_from_the_ledger_alone(gateway: Gateway) -> None:
    found = inspect_deployment(gateway, gateway.deployment.job_ledger, block=gateway.deployment.block)
    assert found == gateway.deployment


def test_address_without_our_code_is_refused(gateway: Gateway) -> None:
    with pytest.raises(ContractMissing, match="no code"):
        inspect_deployment(gateway, b"\x01" * 20)
    with pytest.raises(ContractMissing, match="the code of this version"):
        inspect_deployment(gateway, gateway.deployment.tally_token)


def test_ledger_whose_registry_names_another_is_refused(
    dev_chain: TestChain, gateway: Gateway, parties: Parties
) -> None:
    """A registry of our own code, deployed to name another ledger, put in the place of the right one."""
    sender = parties(3).sender
    artifact = load_artifact("NodeRegistry")
    arguments = (gateway.deployment.tally_token, b"\x55" * 20, bytes(20))
    code = artifact.creation_code + artifact.interface.encode_deployment(arguments)
    address = compute_create_address(sender.address, sender.fetch_next_nonce())
    sender.execute(Call(b"", code, 0, "NodeRegistry (creation)"))
    false_code = gateway.fetch_code(address)
    dev_chain.rpc.send("anvil_setCode", "0x" + gateway.deployment.node_registry.hex(), "0x" + false_code.hex())
    with pytest.raises(DeploymentDiffers) as refusal:
        inspect_deployment(gateway, gateway.deployment.job_ledger)
    assert (refusal.value.function, refusal.value.got) == ("ledger", b"\x55" * 20)


def test_other_chain_is_refused(dev_chain: TestChain, deployment: Deployment) -> None:
    elsewhere = dataclasses.replace(deployment, chain_id=1)
    with pytest.raises(WrongChain) as refusal:
        Gateway.connect(dev_chain.url, elsewhere)
    assert (refusal.value.expected, refusal.value.got) == (1, 31337)


def test_chain_started_anew_is_refused(dev_chain: TestChain, deployment: Deployment, clean_state: None) -> None:
    dev_chain.rpc.send("anvil_setCode", "0x" + deployment.job_ledger.hex(), "0x")
    with pytest.raises(ContractMissing, match="got no code") as refusal:
        Gateway.connect(dev_chain.url, deployment)
    assert refusal.value.contract == "JobLedger"


def test_other_code_is_refused(dev_chain: TestChain, gateway: Gateway) -> None:
    code = bytearray(gateway.fetch_code(gateway.deployment.node_registry))
    code[-1] ^= 1
    dev_chain.rpc.send("anvil_setCode", "0x" + gateway.deployment.node_registry.hex(), "0x" + code.hex())
    with pytest.raises(ContractMissing) as refusal:
        gateway.verify()
    assert refusal.value.contract == "NodeRegistry"


def test_file_holds_the_deployment_and_is_never_overwritten(gateway: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    gateway.deployment.save(path)
    assert Deployment.load(path) == gateway.deployment
    with pytest.raises(DeploymentExists):
        gateway.deployment.save(path)
    assert Deployment.load(path) == gateway.deployment


def test_final_block_trails_the_head(dev_chain: TestChain, gateway: Gateway) -> None:
    dev_chain.mine(5)
    head, final = gateway.fetch_head(), gateway.fetch_final_block()
    assert final.number < head.number
    assert gateway.fetch_block(head.number) == head
    assert gateway.fetch_block(head.number + 1) is None
    parent = gateway.fetch_block(head.number - 1)
    assert parent is not None
    assert parent.hash == head.parent


def test_final_block_is_counted_where_a_chain_does_not_say(dev_chain: TestChain, gateway: Gateway) -> None:
    dev_chain.mine(9)
    with run_provider(dev_chain.url) as provider, Rpc(provider.url) as rpc:
        provider.fault = lambda request: refuse(request, "unknown block") if "finalized" in request["params"] else None
        assert Chain(rpc, 31337, final_depth=4).fetch_final_block().number == gateway.fetch_head().number - 4
