"""The wallets of a node's home: made when missing, unlocked once, locked for as long as they are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from client.home import Home
from client.node.operator.joining import Enrolment
from client.passphrase import read_passphrase
from client.seed import Seed, create_seed, restore_seed, save_seed, unlock_seed
from client.settings import ClientSettings
from client.wallet import create_wallet, lock_wallet, read_address, unlock_wallet
from ledger.hexadecimal import parse_address
from ledger.signatures import Signer

EACH_NODE = "node"
"""Payout that means each node's own address: told apart on chain, but a stolen hot key can then spend it."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Opens the wallets of one home; `passphrase_file` comes before the environment and the prompt."""

    home: Home
    settings: ClientSettings
    passphrase_file: Path | None

    @contextmanager
    def unlock_node(self) -> Iterator[Signer]:
        """This machine's hot key; made when there is none. No other process may use it meanwhile."""
        with lock_wallet(self.home.node_wallet):
            yield self.open(self.home.node_wallet, "node wallet")

    @contextmanager
    def unlock_fleet(self, seed_file: Path | None, count: int) -> Iterator[Sequence[Signer]]:
        """The keys of a fleet's nodes; the seed is made when there is none."""
        path = seed_file or self.home.fleet_seed
        with lock_wallet(path):
            yield (self._unlock_seed(path) if path.exists() else self.make_seed(path)).derive(count)

    def unlock(self, path: Path, what: str) -> Signer:
        """A key that must exist."""
        read_address(path)
        return unlock_wallet(path, read_passphrase(self.settings, self.passphrase_file, new=False, what=what))

    def unlock_first(self, seed_file: Path) -> Signer:
        """The first key of a fleet whose seed must exist."""
        return self._unlock_seed(seed_file).derive(1)[0]

    def make_seed(self, path: Path, words: str | None = None) -> Seed:
        """A new seed, or the one that 24 words write down. Raises WalletRefused when the file exists."""
        passphrase = read_passphrase(self.settings, self.passphrase_file, new=True, what="fleet seed")
        work = self.settings.keystore_work
        if words is None:
            return create_seed(path, passphrase, work=work)
        seed = restore_seed(words)
        save_seed(path, seed, passphrase, work)
        return seed

    def choose_enrolment(self, operator: str | None, payout: str | None) -> Enrolment:
        """Whom registrations name: the given operator, else the one whose wallet is here, made when there is none."""
        if operator is not None:
            owner = parse_address(operator, "--operator")
        elif self.home.operator_wallet.exists():
            owner = read_address(self.home.operator_wallet)
        else:
            owner = self.open(self.home.operator_wallet, "operator wallet").address
        if payout == EACH_NODE:
            return Enrolment(owner, None, operator is not None, payout_insisted=True)
        known: dict[str, bytes | None] = {"operator": owner, "node": None}
        chosen = payout or "operator"
        target = known[chosen] if chosen in known else parse_address(chosen, "--payout")
        return Enrolment(owner, target, operator is not None, payout_insisted=payout is not None)

    def open(self, path: Path, what: str) -> Signer:
        """A key, made when there is none."""
        new = not path.exists()
        passphrase = read_passphrase(self.settings, self.passphrase_file, new=new, what=what)
        if new:
            return create_wallet(path, passphrase, work=self.settings.keystore_work)
        return unlock_wallet(path, passphrase)

    def _unlock_seed(self, path: Path) -> Seed:
        return unlock_seed(path, read_passphrase(self.settings, self.passphrase_file, new=False, what="fleet seed"))
