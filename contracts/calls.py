"""Every call our programs make, encoded: what a `Sender` signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.abi import Interface
from contracts.deployment import Deployment
from contracts.state import Anchor
from contracts.transactions import Call
from ledger.entry import Entry
from ledger.statements import Registration, RoundHeader, Terms


@dataclass(frozen=True)
class ClaimItem:
    """An entry and its proof, ⌈log2 count⌉ siblings from the leaf up (Solidity: Claim)."""

    entry: Entry
    proof: Sequence[bytes]


class Calls:
    """Builds calls to the contracts of one deployment. Amounts in base units of the token concerned."""

    def __init__(self, deployment: Deployment, interfaces: Mapping[str, Interface]) -> None:
        self._deployment = deployment
        self._interfaces = interfaces

    # Token

    def transfer(self, to: bytes, amount: int, token: bytes | None = None) -> Call:
        """Send tokens; the deployment's TallyToken where `token` is None, here and below."""
        return self._build("TallyToken", "transfer", to, amount, address=token)

    def approve(self, spender: bytes, amount: int, token: bytes | None = None) -> Call:
        """Allow `spender` to take up to `amount` of the sender's tokens."""
        return self._build("TallyToken", "approve", spender, amount, address=token)

    def permit(
        self, owner: bytes, spender: bytes, amount: int, deadline: int, signature: bytes, token: bytes | None = None
    ) -> Call:
        """Allow by the owner's ERC-2612 signature, which `contracts.permit.sign_permit` makes; sent by anyone."""
        v, r, s = signature[64], signature[:32], signature[32:64]
        return self._build("TallyToken", "permit", owner, spender, amount, deadline, v, r, s, address=token)

    # NodeRegistry

    def register(self, registration: Registration, signature: bytes) -> Call:
        """Register a node with its own signature; sent by anyone."""
        return self._build("NodeRegistry", "register", registration.values(), signature)

    def set_payout(self, node: bytes, payout: bytes) -> Call:
        """Send the node's claims elsewhere; by its operator."""
        return self._build("NodeRegistry", "setPayout", node, payout)

    def rotate_node(self, node: bytes, successor: bytes) -> Call:
        """Let another registered node of the same operator take this one's place after the delay; by the operator."""
        return self._build("NodeRegistry", "rotateNode", node, successor)

    def complete_rotation(self, node: bytes) -> Call:
        """Complete a rotation that is due; sent by anyone."""
        return self._build("NodeRegistry", "completeRotation", node)

    def stake(self, node: bytes, amount: int) -> Call:
        """Add to a node's stake from the sender's tokens, which the registry must be allowed to take."""
        return self._build("NodeRegistry", "stake", node, amount)

    def unstake(self, node: bytes, amount: int) -> Call:
        """Let stake leave after the delay; by the operator; 0 cancels."""
        return self._build("NodeRegistry", "unstake", node, amount)

    def withdraw_stake(self, node: bytes) -> Call:
        """Send the stake that has left to the operator; sent by anyone."""
        return self._build("NodeRegistry", "withdrawStake", node)

    # JobLedger

    def deposit_bond(self, amount: int, token: bytes | None = None) -> Call:
        """Add to the sender's free funds, from which openJob locks bonds; the ledger must be allowed to take them."""
        return self._build("JobLedger", "depositBond", token or self._deployment.tally_token, amount)

    def withdraw(self, to: bytes, amount: int, token: bytes | None = None) -> Call:
        """Take from the sender's free funds: deposits, released bonds, refunds, bounties."""
        return self._build("JobLedger", "withdraw", token or self._deployment.tally_token, to, amount)

    def open_job(self, terms: Terms, deadline: int, signature: bytes) -> Call:
        """Open a job with the coordinator's Acceptance; by the requester, whose escrow must be allowed."""
        return self._build("JobLedger", "openJob", terms.values(), deadline, signature)

    def post_round(self, header: RoundHeader, last_entry: Entry, proof: Sequence[bytes]) -> Call:
        """Anchor the next round; by the coordinator."""
        return self._build("JobLedger", "postRound", header.values(), _entry_words(last_entry), list(proof))

    def claim(self, job: bytes, round_number: int, anchor: Anchor, item: ClaimItem) -> Call:
        """Pay a node what it has earned up to this round and not yet drawn; sent by anyone."""
        return self._build(
            "JobLedger", "claim", job, round_number, anchor.values(), _leaf_words(item.entry), list(item.proof)
        )

    def claim_many(self, job: bytes, round_number: int, anchor: Anchor, items: Sequence[ClaimItem]) -> Call:
        """Claim for many nodes of one round in one transaction; an item that fails becomes a ClaimFailed event."""
        claims = [(_leaf_words(item.entry), list(item.proof)) for item in items]
        return self._build("JobLedger", "claimMany", job, round_number, anchor.values(), claims)

    def request_close(self, job: bytes) -> Call:
        """Announce that the job shall end; by the requester or the coordinator."""
        return self._build("JobLedger", "requestClose", job)

    def close_job(self, job: bytes) -> Call:
        """End a job and credit what is left to the requester's free funds; sent by anyone."""
        return self._build("JobLedger", "closeJob", job)

    def release_bond(self, job: bytes) -> Call:
        """Move a closed job's bond to the coordinator's free funds, after the grace period; sent by anyone."""
        return self._build("JobLedger", "releaseBond", job)

    def lapse(self, job: bytes) -> Call:
        """Halt a job with witnesses at its first round not attested within its window; sent by anyone."""
        return self._build("JobLedger", "lapse", job)

    def _build(self, contract: str, function: str, *arguments: object, address: bytes | None = None) -> Call:
        target = self._deployment.find_address(contract) if address is None else address
        data = self._interfaces[contract].encode_call(function, arguments)
        return Call(target, data, 0, f"{contract}.{function}")


def _leaf_words(entry: Entry) -> tuple[object, ...]:
    return entry.seq, entry.node, entry.earned, entry.body.digest()


def _entry_words(entry: Entry) -> tuple[object, ...]:
    return entry.seq, entry.node, entry.earned, entry.body.values()
