"""From addresses to sources: a provider and ledger that the auditor chose, a coordinator whose word decides nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from client import calls
from client.api import Api
from client.auditor.evidence.chain import LedgerChain
from client.auditor.evidence.coordinator import CoordinatorEvidence
from client.auditor.evidence.proving import ReadChain, read_chain
from client.auditor.evidence.sources import Sources
from client.auditor.policy import Policy
from client.errors import ClientError, UsageRefused
from client.identity import Identity
from client.transport import Remarks
from contracts.chain import Chain, fetch_chain_id
from contracts.gateway import Gateway
from contracts.inspection import inspect_deployment
from contracts.rpc import Rpc
from contracts.state import Block
from ledger.hexadecimal import to_address
from ledger.signatures import Signer
from ledger.wire import Info


@dataclass(frozen=True, slots=True)
class Connection:
    """Sources that are open, and what the coordinator says of itself beside what the auditor trusts."""

    sources: Sources
    said: Mapping[str, str]
    gateway: Gateway
    policy: Policy

    def read_chain(self, job: bytes, number: int | None, *, prove: bool) -> ReadChain:
        """What the chain says of a job for a bundle, at a block by its number or by the policy.

        Raises:
            NoSuchJob, ProofRefused, ChainError: as `proving.read_chain` raises them.
        """
        return read_chain(job, self.gateway, partial(choose_block, policy=self.policy, number=number), prove=prove)


@contextmanager
def connect(
    coordinator: str,
    rpc: str,
    policy: Policy,
    *,
    signer: Signer | None = None,
    start_block: int | None = None,
    remarks: Remarks | None = None,
) -> Iterator[Connection]:
    """Opens the sources of an audit.

    Args:
        coordinator: address of the coordinator, which hands out the evidence.
        rpc: address of the auditor's own provider.
        policy: what the auditor trusts. The code of its ledger on chain must be ours; the provider's chain, where none
            is named.
        signer: signs in where evidence is for listed auditors; a key of this hour, where None.
        start_block: where events begin; else the block that the coordinator names, which can hide nothing unseen: the
            number of rounds and the sum of claims are the ledger's, and the registry must not be older.
        remarks: is told when the coordinator stops answering.

    Raises:
        ChainError: the provider serves another chain, or there is no ledger of ours.
        TransportError: the coordinator does not answer.
    """
    with Api(coordinator, remarks=remarks) as api, Rpc(rpc) as provider:
        info = api.fetch(calls.info())
        chain = Chain(provider, fetch_chain_id(provider) if policy.chain_id is None else policy.chain_id)
        chain.verify()
        first = info.start_block if start_block is None else start_block
        gateway = Gateway(provider, inspect_deployment(chain, policy.job_ledger, block=first))
        identity = Identity(api, signer or Signer(secrets.token_bytes(32)), chain.chain_id)
        ledger = LedgerChain(gateway, partial(choose_block, policy=policy), whole=start_block is not None)
        sources = Sources(CoordinatorEvidence(api, identity), ledger, policy.code_hash, policy.coordinator)
        yield Connection(sources, compare_words(info, chain.chain_id, policy.job_ledger), gateway, policy)


def choose_block(gateway: Gateway, policy: Policy, number: int | None = None) -> Block:
    """The block of an audit. Raises UsageRefused when there is no such block."""
    if number is None:
        return gateway.fetch_final_block() if policy.finalized else gateway.fetch_head()
    block = gateway.fetch_block(number)
    if block is None:
        raise UsageRefused(f"expected a block of chain {gateway.chain_id}, got {number}, which it does not have yet")
    return block


def compare_words(info: Info, chain_id: int, ledger: bytes) -> dict[str, str]:
    """What the coordinator says of itself, with a remark where it is not what the auditor trusts."""
    words = {
        "name": (info.name, info.name),
        "chainId": (str(info.chain_id), str(chain_id)),
        "jobLedger": (to_address(info.job_ledger), to_address(ledger)),
        "coordinator": (to_address(info.coordinator), to_address(info.coordinator)),
    }
    return {name: said if said == used else f"{said} (trusted: {used})" for name, (said, used) in words.items()}


class CouldNotCheck(ClientError):
    """The audit did not come to an end: nothing was found true or false."""

    exit_code = 3

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"could not check: {reason}")
