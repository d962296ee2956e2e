"""The docket: transactions of one wallet, each kept before it is sent, so that none is sent twice.

| crash | afterwards |
| --- | --- |
| before it is kept | nothing was sent; it is decided and signed anew, with the same nonce |
| kept, not sent | the same bytes are sent |
| sent, not noted | the same bytes are sent again; the chain applies them once |
| mined, not noted | its receipt is found at the next look |

A reorganisation takes a mined transaction out of its block: its bytes are sent again until its block is final.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from client.errors import ClientError
from client.home import save_durably
from contracts.errors import ProviderRefused
from contracts.refusals import FeeTooLow, NonceTaken
from contracts.sender import Sender
from contracts.state import Mined
from contracts.transactions import Call, Fees, SignedTransaction
from ledger.errors import Malformed
from ledger.hexadecimal import parse_hex, to_hex

VERSION = 1
REPEAT_SECONDS = 15
STUCK_SECONDS = 90

State = Literal["signed", "mined", "settled", "reverted", "dropped"]


NO_EFFECT: Final = ("reverted", "dropped")


class DocketUnusable(ClientError):
    """The file was changed by something else, or is of another version."""

    exit_code = 2

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}; transactions that it names may be on their way: restore it from a backup")


@dataclass
class Attempt:
    """A signed transaction; a later one of the same action is the same call and nonce at a higher fee."""

    hash: bytes
    raw: bytes
    nonce: int
    gas: int
    fee_limit: int
    fee_priority: int | None


@dataclass
class Action:
    """Something that is sent once. `subject` names it, `detail` is the contract's word where it said no.

    States: signed (maybe sent) → mined → settled (its block is final); reverted; or dropped (its nonce went elsewhere).
    `tries` counts the transactions that were made for the subject because the one before had no effect.
    """

    subject: str
    label: str
    target: bytes
    data: bytes
    value: int
    state: State = "signed"
    block: int = 0
    block_hash: bytes = b""
    detail: str = ""
    tries: int = 1
    signed_at: int = 0
    sent_at: int = 0
    attempts: list[Attempt] = field(default_factory=list)


class Docket:
    """Transactions of one key on one chain. Only one program may send with the key at a time.

    Args:
        path: the file.
        sender: signs and broadcasts.
        clock: unix seconds.
    """

    def __init__(self, path: Path, sender: Sender, clock: Callable[[], float]) -> None:
        self._path, self._sender, self._clock = path, sender, clock
        self._actions, self._salts = _load(path)
        self.changes = 0

    def list_actions(self) -> list[Action]:
        """Everything that was ever sent, oldest first."""
        return list(self._actions.values())

    @property
    def address(self) -> bytes:
        """Whose transactions these are."""
        return self._sender.address

    def find(self, subject: str) -> Action | None:
        """The action of this subject, whatever came of it."""
        return self._actions.get(subject)

    def find_salt(self, subject: str, draw: Callable[[int], bytes]) -> bytes:
        """The 32 bytes that go with a subject, drawn and kept at the first call."""
        if subject not in self._salts:
            self._salts[subject] = draw(32)
            self._save()
        return self._salts[subject]

    def submit(self, subject: str, call: Call) -> Action:
        """Signs, keeps and sends a call, unless one that may have an effect was sent for this subject before.

        Raises:
            TransactionReverted: the contract would refuse; nothing was kept.
            InsufficientFunds, FeeAboveLimit: it cannot be paid; nothing was kept.
            ChainUnreachable: no answer; what was kept is sent later.
        """
        known = self._actions.get(subject)
        if known is not None and known.state not in NO_EFFECT:
            return known
        signed = self._sender.sign(call, nonce=max(self._sender.fetch_next_nonce(), self._next_kept_nonce()))
        action = Action(subject, call.label, call.target, call.data, call.value, signed_at=int(self._clock()))
        action.tries = known.tries + 1 if known is not None else 1
        action.attempts.append(_to_attempt(signed))
        self._actions[subject] = action
        self._save()
        self._broadcast(action)
        return action

    def is_busy(self) -> bool:
        """Whether something that was sent is in no block yet."""
        return any(action.state == "signed" for action in self._actions.values())

    def suggest_price(self) -> int:
        """What a unit of gas costs at most in the next blocks, in wei. Raises FeeAboveLimit."""
        return self._sender.suggest_fees().limit

    def watch(self, final_block: int) -> list[Action]:
        """Looks after everything that is not settled; returns the actions whose state changed.

        Raises:
            ChainUnreachable: no answer.
        """
        changed: list[Action] = []
        if not self._actions:
            return changed
        spent = self._sender.fetch_mined_nonce()
        for action in self._actions.values():
            # The chain has spent fewer nonces than this one: a deep fork took back what was settled.
            taken_back = action.state in ("settled", "reverted") and action.attempts[-1].nonce >= spent
            if action.state in ("signed", "mined") or taken_back:
                before = action.state
                self._look_after(action, final_block)
                if action.state != before:
                    changed.append(action)
        return changed

    def _look_after(self, action: Action, final_block: int) -> None:
        mined = next(filter(None, (self._sender.fetch_receipt(one.hash) for one in action.attempts)), None)
        if mined is not None:
            self._note(action, mined, final_block)
            return
        if action.state != "signed":
            self._change(action, state="signed", block=0, block_hash=b"", detail="")
        now = int(self._clock())
        if now - action.sent_at >= REPEAT_SECONDS:
            if action.sent_at and now - action.signed_at >= STUCK_SECONDS:
                self._replace(action)
            self._broadcast(action)

    def _note(self, action: Action, mined: Mined, final_block: int) -> None:
        if mined.revert is not None:
            self._change(action, state="reverted", block=mined.block, detail=str(mined.revert))
            return
        state: State = "settled" if mined.block <= final_block else "mined"
        if (action.state, action.block_hash) != (state, mined.block_hash):
            self._change(action, state=state, block=mined.block, block_hash=mined.block_hash)

    def _broadcast(self, action: Action) -> None:
        """Sends the newest attempt; what a provider refuses for now is sent again at a later look."""
        try:
            self._sender.broadcast(_to_signed(action, self._sender.address))
        except NonceTaken as taken:
            self._change(action, state="dropped", detail=str(taken))
        except FeeTooLow:
            self._replace(action)
        except ProviderRefused as refusal:
            self._change(action, detail=str(refusal), sent_at=int(self._clock()))
        else:
            self._change(action, detail="", sent_at=int(self._clock()))

    def _replace(self, action: Action) -> None:
        """The same call and nonce at a higher fee: either may be mined, never both."""
        action.attempts.append(_to_attempt(self._sender.replace(_to_signed(action, self._sender.address))))
        self._change(action, signed_at=int(self._clock()))

    def _next_kept_nonce(self) -> int:
        waiting = (action for action in self._actions.values() if action.state == "signed")
        return max((action.attempts[-1].nonce + 1 for action in waiting), default=0)

    def _change(self, action: Action, **values: object) -> None:
        for name, value in values.items():
            setattr(action, name, value)
        self._save()

    def _save(self) -> None:
        self.changes += 1
        actions = [_write(asdict(action)) for action in self._actions.values()]
        value = {"version": VERSION, "salts": _write(self._salts), "actions": actions}
        save_durably(self._path, json.dumps(value, indent=1).encode() + b"\n", private=True)


def _to_attempt(signed: SignedTransaction) -> Attempt:
    return Attempt(signed.hash, signed.raw, signed.nonce, signed.gas, signed.fees.limit, signed.fees.priority)


def _to_signed(action: Action, sender: bytes) -> SignedTransaction:
    last = action.attempts[-1]
    fees = Fees(last.fee_limit, last.fee_priority)
    call = Call(action.target, action.data, action.value, action.label)
    return SignedTransaction(last.hash, last.raw, sender, last.nonce, last.gas, fees, call)


def _write(value: Any) -> Any:
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, dict):
        return {key: _write(item) for key, item in value.items()}
    return [_write(item) for item in value] if isinstance(value, list) else value


def _load(path: Path) -> tuple[dict[str, Action], dict[str, bytes]]:
    try:
        value = json.loads(path.read_bytes())
        if value["version"] != VERSION:
            raise DocketUnusable(path, f"expected version {VERSION}, got {value['version']!r}")
        actions = [_read_action(action) for action in value["actions"]]
        salts = {subject: parse_hex(salt, 32) for subject, salt in value["salts"].items()}
    except FileNotFoundError:
        return {}, {}
    except (Malformed, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DocketUnusable(path, f"not a docket ({type(error).__name__}: {error})") from None
    return {action.subject: action for action in actions}, salts


def _read_action(value: dict[str, Any]) -> Action:
    attempts = [
        Attempt(**attempt | {"hash": parse_hex(attempt["hash"], 32), "raw": parse_hex(attempt["raw"])})
        for attempt in value["attempts"]
    ]
    known: dict[str, Any] = {name: parse_hex(value[name]) for name in ("target", "data", "block_hash")}
    return Action(**value | known | {"attempts": attempts})
