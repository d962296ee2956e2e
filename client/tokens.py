"""How a token's amounts are shown: its decimals, asked of the chain once and kept under TALLY_HOME.

Only for showing: whoever parses an amount that moves money asks the chain itself.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from client import calls
from client.chain import choose_rpc
from client.contact import Contact
from client.errors import UsageRefused
from client.home import save_durably
from client.output import format_amount, shorten_amount
from contracts.abi import MalformedAnswer
from contracts.chain import Chain
from contracts.errors import ChainError
from contracts.rpc import Rpc
from ledger.errors import VerificationError
from ledger.hexadecimal import to_address

_ATTEMPTS = 2
_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Unit:
    """A token's whole unit in base units, as a power of ten; None where it is not known and base units are shown."""

    decimals: int | None

    def write(self, amount: int) -> str:
        """An amount of base units, exact."""
        return f"{amount} base units" if self.decimals is None else format_amount(amount, self.decimals)

    def shorten(self, amount: int) -> str:
        """The same for tables: cut after six places, with … where something was cut."""
        return str(amount) if self.decimals is None else shorten_amount(amount, self.decimals)


class TokenBook:
    """The units of tokens on a coordinator's chain.

    Args:
        found: the coordinator; its provider is asked where none is given.
        rpc: the provider.
    """

    def __init__(self, found: Contact, rpc: str | None) -> None:
        self._found, self._rpc = found, rpc
        self._file = found.home.tokens
        self._units: dict[bytes, Unit] = {}
        self._tokens: dict[bytes, bytes] = {}

    def find_unit(self, token: bytes) -> Unit:
        """The token's unit. Where nobody can say, that is told once on stderr, and amounts are in base units."""
        if token not in self._units:
            self._units[token] = self._look_up(token)
        return self._units[token]

    def find_job_unit(self, job: bytes) -> Unit:
        """The unit of the token that a job pays with. Raises VerificationError when the terms are another job's."""
        if job not in self._tokens:
            terms = self._found.api.fetch(calls.job(job)).terms
            if terms.job_id() != job:
                raise VerificationError("job-id", "the terms are those of another job", job, terms.job_id())
            self._tokens[job] = terms.token
        return self.find_unit(self._tokens[job])

    def _look_up(self, token: bytes) -> Unit:
        name = f"{self._found.pin.chain_id}/{to_address(token)}"
        kept = self._load()
        if name not in kept:
            try:
                kept[name] = self._ask(token)
            except (ChainError, MalformedAnswer, UsageRefused) as error:
                sys.stderr.write(f"amounts are in base units: the token's decimals are not known ({error})\n")
                return Unit(None)
            save_durably(self._file, json.dumps(kept, indent=2).encode() + b"\n")
        return Unit(kept[name])

    def _ask(self, token: bytes) -> int:
        url = choose_rpc(self._rpc, self._found.info)
        with Rpc(url, timeout_seconds=_TIMEOUT_SECONDS, attempts=_ATTEMPTS) as rpc:
            chain = Chain(rpc, self._found.pin.chain_id)
            chain.verify()
            return chain.fetch_decimals(token)

    def _load(self) -> dict[str, int]:
        """What is kept; a file that nobody can read is as good as none, and is written anew."""
        try:
            kept = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return {name: count for name, count in kept.items() if type(count) is int} if isinstance(kept, dict) else {}
