"""Opening a job, step by step: upload, agreement, money. Until the last step nothing is paid and nothing is owed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from client import calls
from client.contact import Contact
from client.errors import ClientError
from client.home import Home, save_durably
from client.identity import Identity
from client.requester.plan import JobPlan
from contracts.escrow import BondMissing, InsufficientTokens, open_job
from contracts.gateway import Gateway
from contracts.sender import Sender
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import to_address, to_hex
from ledger.statements import Acceptance, Signed

Tell = Callable[[str], None]


class CoinMissing(ClientError):
    """The requester's wallet cannot pay any gas."""

    def __init__(self, requester: bytes) -> None:
        self.requester = requester
        super().__init__(
            f"the requester wallet {to_address(requester)} has none of the chain's coin, with which you pay the gas of "
            "opening the job: send some to that address"
        )


@dataclass(frozen=True, slots=True)
class Funds:
    """What the requester and the coordinator have for a job; tokens in base units, coin in wei."""

    tokens: int
    coin: int
    allowance: int
    coordinator_free: int

    def to_json(self) -> dict[str, str]:
        """The amounts as decimal strings."""
        return {
            "requesterTokens": str(self.tokens),
            "requesterCoin": str(self.coin),
            "allowance": str(self.allowance),
            "coordinatorFreeFunds": str(self.coordinator_free),
        }


def look_at_funds(gateway: Gateway, plan: JobPlan) -> Funds:
    """What is there for the job now."""
    terms = plan.terms
    return Funds(
        tokens=gateway.fetch_token_balance(terms.requester, terms.token),
        coin=gateway.fetch_balance(terms.requester),
        allowance=gateway.fetch_allowance(terms.requester, gateway.deployment.job_ledger, terms.token),
        coordinator_free=gateway.fetch_funds(terms.coordinator, terms.token),
    )


def verify_funds(gateway: Gateway, plan: JobPlan) -> None:
    """Checks that escrow, gas and bond are there, before anyone is asked for anything.

    Raises:
        InsufficientTokens, CoinMissing, BondMissing: saying what is missing where.
    """
    funds, terms = look_at_funds(gateway, plan), plan.terms
    decimals = gateway.fetch_decimals(terms.token)
    if funds.tokens < plan.escrow:
        raise InsufficientTokens(terms.requester, terms.token, plan.escrow, funds.tokens, decimals)
    if funds.coin == 0:
        raise CoinMissing(terms.requester)
    if funds.coordinator_free < terms.bond:
        raise BondMissing(terms.coordinator, terms.token, terms.bond, funds.coordinator_free, decimals)


def agree(found: Contact, identity: Identity, plan: JobPlan, tell: Tell) -> Signed[Acceptance]:
    """Uploads the files, asks for the job, and checks the coordinator's word.

    Raises:
        CoordinatorRefused: with the field that it does not take.
        VerificationError: job-id, acceptance-signature: it is about another job, or not signed by the pinned key.
    """
    for digest, content in plan.files.items():
        tell(f"uploading {len(content)} bytes, {to_hex(digest)}")
        identity.fetch(calls.send_blob(content))
    tell("asking the coordinator to accept the job")
    answer = identity.fetch(calls.send_job(plan.request()))
    for job in (answer.job, answer.acceptance.statement.job):
        if job != plan.job:
            raise VerificationError("job-id", "the coordinator accepted another job than was asked for", plan.job, job)
    try:
        answer.acceptance.verify(found.pin.domain, found.pin.coordinator)
    except (Malformed, VerificationError) as error:
        raise VerificationError("acceptance-signature", f"not signed by the pinned coordinator ({error})") from None
    return answer.acceptance


def fund(
    gateway: Gateway, sender: Sender, home: Home, plan: JobPlan, acceptance: Signed[Acceptance], tell: Tell
) -> bytes:
    """Escrows the budget and returns the transaction. What was agreed is kept under TALLY_HOME before anything is paid.

    Raises:
        InsufficientTokens, InsufficientFunds, BondMissing, TransactionReverted: nothing was opened.
    """
    record = {"terms": plan.terms.to_json(), "spec": plan.spec.to_json(), "acceptance": acceptance.to_json()}
    save_durably(home.jobs / f"{plan.job.hex()}.json", json.dumps(record, indent=2).encode())
    tell(f"opening the job with {to_address(sender.address)}'s escrow")
    return open_job(gateway, sender, plan.terms, acceptance).hash
