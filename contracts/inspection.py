"""Finds out about a deployment from nothing but its ledger's address, believing only code we know.

A node learns addresses from a coordinator it does not trust: this is how it makes sure that the contracts behind them
are ours, built from the sources beside this file, and name each other.
"""

from __future__ import annotations

from contracts.artifacts import load_artifact
from contracts.chain import Chain
from contracts.deployment import ZERO_ADDRESS, Deployment
from contracts.errors import ChainError, ContractMissing
from ledger.eip712 import compute_domain
from ledger.hashing import keccak256
from ledger.hexadecimal import to_address, to_hex


class DeploymentDiffers(ChainError):
    """Contracts on the chain have our code and yet do not say what a deployment of ours says."""

    def __init__(self, contract: str, address: bytes, function: str, expected: bytes, got: bytes) -> None:
        self.contract = contract
        self.address = address
        self.function = function
        self.expected = expected
        self.got = got
        super().__init__(
            f"expected {contract} at {to_address(address)} to answer {function}() with {to_hex(expected)}, "
            f"got {to_hex(got)}: do not use these contracts"
        )


def inspect_deployment(chain: Chain, job_ledger: bytes, *, block: int = 0) -> Deployment:
    """Return the deployment around a ledger.

    1. The code of the ledger, the registry and the court, if there is one, is that of our artifacts, whatever their
       immutables.
    2. Ledger and registry name each other and the same court, which names them.
    3. Their EIP-712 domains are those that statements are signed under.

    Args:
        chain: where it lives; `chain.chain_id` must be the chain's.
        job_ledger: the ledger's address.
        block: first block that can hold its events, where that is known.

    Raises:
        ContractMissing: there is no contract of ours.
        DeploymentDiffers: the contracts do not fit together.
    """
    # 1. Code
    ledger_code = _fetch_known_code(chain, "JobLedger", job_ledger)
    registry = _read_address(chain, "JobLedger", job_ledger, "registry")
    registry_code = _fetch_known_code(chain, "NodeRegistry", registry)
    # 2. Names
    court = _read_address(chain, "JobLedger", job_ledger, "court")
    quorum = _read_address(chain, "JobLedger", job_ledger, "quorum")
    _verify_answer(chain, "NodeRegistry", registry, "ledger", job_ledger)
    _verify_answer(chain, "NodeRegistry", registry, "court", court)
    codes = {"NodeRegistry": registry_code, "JobLedger": ledger_code}
    if court != ZERO_ADDRESS:
        codes["ChallengeCourt"] = _fetch_known_code(chain, "ChallengeCourt", court)
        _verify_answer(chain, "ChallengeCourt", court, "ledger", job_ledger)
        _verify_answer(chain, "ChallengeCourt", court, "registry", registry)
    # 3. Domains
    for name, address in (("JobLedger", job_ledger), ("NodeRegistry", registry)):
        domain = compute_domain(chain.chain_id, address)
        _verify_answer(chain, name, address, "domainSeparator", domain.separator)
    token = _read_address(chain, "NodeRegistry", registry, "stakeToken")
    codes["TallyToken"] = chain.fetch_code(token)
    if quorum != ZERO_ADDRESS:
        codes["WitnessQuorum"] = chain.fetch_code(quorum)
    hashes = {name: keccak256(code) for name, code in codes.items()}
    return Deployment(chain.chain_id, token, registry, job_ledger, court, quorum, block, hashes)


def _fetch_known_code(chain: Chain, contract: str, address: bytes) -> bytes:
    code = chain.fetch_code(address)
    if not load_artifact(contract).is_code(code):
        raise ContractMissing(contract, to_address(address), "the code of this version of Tallystick", code)
    return code


def _read_address(chain: Chain, contract: str, address: bytes, function: str) -> bytes:
    answer: bytes = chain.execution.read(contract, address, function)
    return answer


def _verify_answer(chain: Chain, contract: str, address: bytes, function: str, expected: bytes) -> None:
    got: bytes = chain.execution.read(contract, address, function)
    if got != expected:
        raise DeploymentDiffers(contract, address, function, expected, got)
