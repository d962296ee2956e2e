"""Paying into the contracts: what they take must be allowed first, so each of these is one or two transactions."""

from __future__ import annotations

from contracts.amounts import format_amount
from contracts.errors import ChainError
from contracts.gateway import Gateway
from contracts.sender import Sender
from contracts.state import Mined
from ledger.hexadecimal import to_address, to_hex
from ledger.statements import Acceptance, Signed, Terms


class InsufficientTokens(ChainError):
    """An account has fewer tokens than are to be taken from it. Amounts in base units, told in whole tokens."""

    def __init__(self, holder: bytes, token: bytes, needed: int, balance: int, decimals: int) -> None:
        self.holder = holder
        self.token = token
        self.needed = needed
        self.balance = balance
        want, have, more = (format_amount(amount, decimals) for amount in (needed, balance, needed - balance))
        super().__init__(
            f"expected {to_address(holder)} to have {want} of the token {to_address(token)}, got {have}: "
            f"send {more} more to that address"
        )


class BondMissing(ChainError):
    """The coordinator's free funds do not cover a job's bond. Amounts in base units, told in whole tokens."""

    def __init__(self, coordinator: bytes, token: bytes, needed: int, free: int, decimals: int) -> None:
        self.coordinator = coordinator
        self.token = token
        self.needed = needed
        self.free = free
        want, have = format_amount(needed, decimals), format_amount(free, decimals)
        super().__init__(
            f"expected the coordinator {to_address(coordinator)} to have deposited {want} of the token "
            f"{to_address(token)} for the job's bond, got {have} free: ask its operator to deposit, or lower the bond"
        )


class AcceptanceMismatch(ChainError):
    """An acceptance is for another job than the one to be opened."""

    def __init__(self, expected: bytes, got: bytes) -> None:
        self.expected = expected
        self.got = got
        super().__init__(
            f"expected an acceptance of job {to_hex(expected)}, got one of {to_hex(got)}: "
            "send the same terms to the coordinator and to the chain"
        )


def open_job(gateway: Gateway, sender: Sender, terms: Terms, acceptance: Signed[Acceptance]) -> Mined:
    """Open a job: check what can be checked before money moves, allow the escrow where needed, then `openJob`.

    1. The acceptance is for these terms and by their coordinator.
    2. The requester has the escrow, the coordinator's deposit covers the bond.
    3. The ledger may take the escrow.
    4. `openJob`.

    Raises:
        AcceptanceMismatch: the acceptance is of another job.
        WrongSigner: the acceptance is not the coordinator's.
        InsufficientTokens: the requester has less than the escrow.
        BondMissing: the coordinator has less on deposit than the bond.
        TransactionReverted: the ledger refused, as when the acceptance has expired or the job exists.
    """
    # 1. Acceptance
    if acceptance.statement.job != terms.job_id():
        raise AcceptanceMismatch(terms.job_id(), acceptance.statement.job)
    acceptance.verify(gateway.domain, terms.coordinator)
    # 2. Funds
    escrow = terms.rounds * terms.budget_per_round
    verify_tokens(gateway, sender.address, terms.token, escrow)
    free = gateway.fetch_funds(terms.coordinator, terms.token)
    if free < terms.bond:
        raise BondMissing(terms.coordinator, terms.token, terms.bond, free, gateway.fetch_decimals(terms.token))
    # 3. Allowance
    allow(gateway, sender, gateway.deployment.job_ledger, escrow, terms.token)
    # 4. Opening
    return sender.execute(gateway.calls.open_job(terms, acceptance.statement.deadline, acceptance.signature))


def deposit_bond(gateway: Gateway, sender: Sender, amount: int, token: bytes | None = None) -> Mined:
    """Add to the sender's free funds in the ledger, from which bonds are locked.

    Raises:
        InsufficientTokens: the sender has less.
    """
    verify_tokens(gateway, sender.address, token or gateway.deployment.tally_token, amount)
    allow(gateway, sender, gateway.deployment.job_ledger, amount, token)
    return sender.execute(gateway.calls.deposit_bond(amount, token))


def stake(gateway: Gateway, sender: Sender, node: bytes, amount: int) -> Mined:
    """Add to a node's stake from the sender's tokens.

    Raises:
        InsufficientTokens: the sender has less.
    """
    verify_tokens(gateway, sender.address, gateway.deployment.tally_token, amount)
    allow(gateway, sender, gateway.deployment.node_registry, amount)
    return sender.execute(gateway.calls.stake(node, amount))


def allow(gateway: Gateway, sender: Sender, spender: bytes, amount: int, token: bytes | None = None) -> Mined | None:
    """Allow `spender` to take exactly `amount` where it may take less now; None where nothing had to be sent."""
    if gateway.fetch_allowance(sender.address, spender, token) >= amount:
        return None
    return sender.execute(gateway.calls.approve(spender, amount, token))


def verify_tokens(gateway: Gateway, holder: bytes, token: bytes, needed: int) -> None:
    """Verify that an account has as many base units of a token. Raises InsufficientTokens."""
    balance = gateway.fetch_token_balance(holder, token)
    if balance < needed:
        raise InsufficientTokens(holder, token, needed, balance, gateway.fetch_decimals(token))
