"""The gateway: everything our programs read from a chain about one deployment.

Nothing a provider says is believed that can be checked: the chain's id, the code at every address, the shape of every
answer, the place of every event. What a provider can still do is hide things or lag; `fetch_head` shows the latter.
Writing is `contracts.sender.Sender` with the calls of `contracts.calls.Calls`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from contracts.abi import MalformedAnswer
from contracts.calls import Calls
from contracts.chain import Chain
from contracts.deployment import ZERO_ADDRESS, Deployment
from contracts.errors import ContractMissing
from contracts.events import Event
from contracts.job_events import RoundAttested, RoundPosted
from contracts.logs import LogReader
from contracts.rpc import Rpc
from contracts.state import AccountState, Block, DemandState, JobState, NodeState, RoundState, build_state
from ledger.eip712 import Domain, compute_domain
from ledger.hashing import keccak256
from ledger.hexadecimal import to_address, to_hex

MOST_DECIMALS = 36
"""Decimals beyond which a token's amounts are not shown with a point."""

SYMBOL = re.compile(r"[\x21-\x7e]{0,20}")


class Gateway(Chain):
    """Reads one deployment. Safe to use from several threads; every method blocks.

    All methods raise ChainUnreachable when no answer comes after all retries.

    Args:
        rpc: connection to the provider; closed by `close`.
        deployment: where the contracts live.
        final_depth: how many blocks deep is final, on a chain that does not say so itself.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment, *, final_depth: int = 32) -> None:
        super().__init__(rpc, deployment.chain_id, final_depth=final_depth)
        self.deployment = deployment
        self.calls = Calls(deployment, self.execution.interfaces)
        self._logs = LogReader(rpc, deployment, self.execution.interfaces)

    @classmethod
    def connect(cls, url: str, deployment: Deployment, *, timeout_seconds: float = 10.0, attempts: int = 5) -> Self:
        """Return a gateway whose chain and contracts were verified; a read is tried so many times, with growing waits.

        Raises:
            WrongChain: the provider serves another chain.
            ContractMissing: no code, or other code, at an address of the deployment.
        """
        gateway = cls(Rpc(url, timeout_seconds=timeout_seconds, attempts=attempts), deployment)
        try:
            gateway.verify()
        except BaseException:
            gateway.close()
            raise
        return gateway

    # The deployment

    def verify(self) -> None:
        """Verify that the provider serves the deployment's chain and every contract's code is the deployed one.

        Raises:
            WrongChain: the provider serves another chain.
            ContractMissing: no code, or other code, at an address of the deployment.
        """
        super().verify()
        for name, address in self.deployment.addresses.items():
            expected, code = self.deployment.code_hashes[name], self.fetch_code(address)
            if keccak256(code) != expected:
                raise ContractMissing(name, to_address(address), expected, code)

    @property
    def domain(self) -> Domain:
        """EIP-712 domain of every statement but registrations."""
        return compute_domain(self.chain_id, self.deployment.job_ledger)

    @property
    def registry_domain(self) -> Domain:
        """EIP-712 domain of registrations."""
        return compute_domain(self.chain_id, self.deployment.node_registry)

    # Tokens

    def fetch_token_balance(self, holder: bytes, token: bytes | None = None, at: Block | None = None) -> int:
        """Return a holder's tokens in base units; of the deployment's TallyToken where `token` is None."""
        return int(self._read_token(token, "balanceOf", holder, at=at))

    def fetch_token_display(self, token: bytes, at: Block | None = None) -> tuple[int, str]:
        """Return a token's decimals and symbol, as it says of itself: for showing amounts, never for computing.

        Raises:
            TransactionReverted, MalformedAnswer: it says no such thing.
        """
        try:
            decimals, symbol = (str(self._read_token(token, name, at=at)) for name in ("decimals", "symbol"))
        except UnicodeDecodeError:
            raise MalformedAnswer(f"the symbol of token {to_address(token)}", "UTF-8 text", "other bytes") from None
        if int(decimals) > MOST_DECIMALS or not SYMBOL.fullmatch(symbol):
            expected = f"at most {MOST_DECIMALS} decimals and a short printable symbol"
            raise MalformedAnswer(f"token {to_address(token)}", expected, f"{decimals} and {symbol[:80]!r}")
        return int(decimals), symbol

    def fetch_allowance(self, owner: bytes, spender: bytes, token: bytes | None = None) -> int:
        """Return what `spender` may take of the owner's tokens, in base units."""
        return int(self._read_token(token, "allowance", owner, spender))

    def fetch_permit_nonce(self, owner: bytes, token: bytes | None = None) -> int:
        """Return the nonce of the owner's next ERC-2612 permit."""
        return int(self._read_token(token, "nonces", owner))

    # NodeRegistry

    def fetch_node(self, node: bytes, at: Block | None = None) -> NodeState | None:
        """Return what the registry keeps of a node, or None where it is not registered."""
        state = build_state(NodeState, self._read_struct("NodeRegistry", "nodeOf", node, at=at))
        return None if state.operator == ZERO_ADDRESS else state

    def fetch_stake(self, node: bytes, at: Block | None = None) -> int:
        """Return the node's stake that is not leaving, in base units of the stake token."""
        return int(self._read("NodeRegistry", "stakeOf", node, at=at))

    # JobLedger

    def fetch_job(self, job: bytes, at: Block | None = None) -> JobState | None:
        """Return what the ledger keeps of a job, or None where it was never opened."""
        state = build_state(JobState, self._read_struct("JobLedger", "jobOf", job, at=at))
        return None if state.coordinator == ZERO_ADDRESS else state

    def fetch_round(self, job: bytes, round_number: int, at: Block | None = None) -> RoundState | None:
        """Return what the ledger keeps of a round, or None where it was never posted."""
        state = build_state(RoundState, self._read_struct("JobLedger", "roundOf", job, round_number, at=at))
        return None if state.anchor == bytes(32) else state

    def fetch_account(self, job: bytes, at: Block | None = None) -> AccountState:
        """Return where a job's escrow is."""
        return build_state(AccountState, self._read_struct("JobLedger", "accountOf", job, at=at))

    def fetch_claimed(self, job: bytes, node: bytes, at: Block | None = None) -> int:
        """Return what a node has drawn in a job, in base units."""
        return int(self._read("JobLedger", "claimedOf", job, node, at=at))

    def fetch_funds(self, account: bytes, token: bytes | None = None, at: Block | None = None) -> int:
        """Return an account's free funds in the ledger (deposits, released bonds, refunds), in base units."""
        return int(self._read("JobLedger", "fundsOf", token or self.deployment.tally_token, account, at=at))

    def fetch_bond_free_at(self, job: bytes) -> int:
        """Return the time from which the bond of a closed job can be released, in unix seconds."""
        return int(self._read("JobLedger", "bondFreeAt", job))

    def fetch_is_final(self, job: bytes, round_number: int, at: Block | None = None) -> bool:
        """Return whether a round is posted, standing, and can no longer be struck (Solidity: isFinal)."""
        block = at or self.fetch_head()
        state, posted = self.fetch_job(job, block), self.fetch_posted_round(job, round_number, block)
        if state is None or posted is None or 0 < state.halted <= round_number:
            return False
        return block.timestamp >= posted.final_at

    # ChallengeCourt

    def fetch_demand(self, job: bytes, round_number: int, seq: int, at: Block | None = None) -> DemandState | None:
        """Return what the court keeps of a demand, or None where nothing was demanded."""
        members = self._read_struct("ChallengeCourt", "demandOf", job, round_number, seq, at=at)
        state = build_state(DemandState, members)
        return None if state.answer_by == 0 else state

    def fetch_demand_gas(self) -> int:
        """Return the gas that an answer takes at most: a demand brings so many times its own gas price."""
        return int(self._read("ChallengeCourt", "demandGas"))

    def fetch_committed_at(self, commitment: bytes, at: Block | None = None) -> int:
        """Return when a commitment to a challenge was made, in unix seconds; 0 if it never was."""
        return int(self._read("ChallengeCourt", "committedAt", commitment, at=at))

    def fetch_coin(self, account: bytes, at: Block | None = None) -> int:
        """Return the native coin that the court has credited to an account, in wei."""
        return int(self._read("ChallengeCourt", "coinOf", account, at=at))

    # Events

    def fetch_events(
        self,
        first_block: int,
        last_block: int,
        kinds: Sequence[type[Event]] = (),
        job: bytes | None = None,
    ) -> tuple[Event, ...]:
        """Return what the ledger and the registry reported in a range of blocks, both ends included, in chain order.

        Long ranges are read in pieces, and pieces a provider finds too long are halved.

        Args:
            first_block: number of the first block; nothing lies before `deployment.block`.
            last_block: number of the last block.
            kinds: only these events; all where empty.
            job: only events of this job; registry events carry none, except slashings.
        """
        return self._logs.fetch(first_block, last_block, kinds, job)

    def fetch_posted_rounds(self, job: bytes, at: Block | None = None) -> tuple[RoundPosted, ...]:
        """Return every posted header of a job with the words of its anchor, in order, from the chain alone.

        `final_at` of an attested round is that of its attestation. Struck rounds are among them: see `fetch_job`.

        Raises:
            MalformedAnswer: an event is missing, or does not fit what the ledger keeps.
        """
        block = at or self.fetch_head()
        state = self.fetch_job(job, block)
        posted = self._fetch_posted(job, None, block)
        numbers = [event.round for event in posted]
        if numbers != list(range(1, (state.posted if state else 0) + 1)):
            raise MalformedAnswer(f"posted rounds of job {to_hex(job)}", "one event for each", f"rounds {numbers}")
        return posted

    def fetch_posted_round(self, job: bytes, round_number: int, at: Block | None = None) -> RoundPosted | None:
        """Return one posted header with the words of its anchor, or None where the round was never posted.

        Raises:
            MalformedAnswer: its event is missing, or does not fit what the ledger keeps.
        """
        block = at or self.fetch_head()
        if self.fetch_round(job, round_number, block) is None:
            return None
        posted = self._fetch_posted(job, round_number, block)
        if len(posted) != 1:
            raise MalformedAnswer(f"round {round_number} of job {to_hex(job)}", "one event", f"{len(posted)}")
        return posted[0]

    def _fetch_posted(self, job: bytes, round_number: int | None, at: Block) -> tuple[RoundPosted, ...]:
        kinds = (RoundPosted, RoundAttested)
        events = self._logs.fetch(self.deployment.block, at.number, kinds, job, round_number)
        attested = {event.round: event.final_at for event in events if isinstance(event, RoundAttested)}
        posted = tuple(
            replace(event, final_at=attested.get(event.round, event.final_at))
            for event in events
            if isinstance(event, RoundPosted)
        )
        for event in posted:
            self._verify_posted(event, at)
        return posted

    def _verify_posted(self, event: RoundPosted, at: Block) -> None:
        what = f"round {event.round} of job {to_hex(event.job)}"
        digest = event.header.digest(self.domain)
        if digest != event.header_digest or event.header.round != event.round:
            raise MalformedAnswer(what, f"a header with digest {to_hex(event.header_digest)}", to_hex(digest))
        kept = self.fetch_round(event.job, event.round, at)
        if kept is None or kept.anchor != event.anchor.word():
            expected = "none" if kept is None else to_hex(kept.anchor)
            raise MalformedAnswer(what, f"the anchor {expected}", to_hex(event.anchor.word()))

    def _read(self, contract: str, function: str, *arguments: object, at: Block | None = None) -> Any:
        return self.execution.read(contract, self.deployment.find_address(contract), function, arguments, at)

    def _read_struct(self, contract: str, function: str, *arguments: object, at: Block | None) -> dict[str, Any]:
        return self.execution.read_struct(contract, self.deployment.find_address(contract), function, arguments, at)

    def _read_token(self, token: bytes | None, function: str, *arguments: object, at: Block | None = None) -> Any:
        return self.execution.read("TallyToken", token or self.deployment.tally_token, function, arguments, at)
