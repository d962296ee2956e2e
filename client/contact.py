"""First contact with a coordinator: what it says of itself is shown once, pinned, and must never change."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from client import calls
from client.api import Api
from client.errors import UsageRefused
from client.home import Home
from client.output import show_text
from client.pins import Pin, verify_or_save
from client.settings import ClientSettings
from client.transport import Patience, Remarks
from ledger.hexadecimal import to_address
from ledger.wire import Info


class StderrRemarks:
    """Says on stderr, once each, that a service does not answer and that it answers again."""

    def __init__(self) -> None:
        self._silent: set[str] = set()

    def lost(self, url: str, reason: str) -> None:
        """No answer came."""
        if url not in self._silent:
            self._silent.add(url)
            sys.stderr.write(f"{url} does not answer ({show_text(reason)}); waiting and trying again\n")

    def found(self, url: str) -> None:
        """An answer came."""
        if url in self._silent:
            self._silent.discard(url)
            sys.stderr.write(f"{url} answers again\n")


@dataclass(frozen=True, slots=True)
class Contact:
    """A coordinator we know: its client, its pin and what it says of itself."""

    api: Api
    pin: Pin
    info: Info
    home: Home

    @property
    def url(self) -> str:
        """The coordinator's address."""
        return self.api.url


def choose_coordinator(given: str | None, settings: ClientSettings) -> str:
    """The coordinator's address from the option, else from TALLY_COORDINATOR. Raises UsageRefused without any."""
    url = given or settings.coordinator
    if not url:
        raise UsageRefused("which coordinator? Give --coordinator URL, or set TALLY_COORDINATOR")
    return url


def make_contact(
    url: str, home: Home, *, patience: Patience | None = None, remarks: Remarks | None = None, quiet: bool = False
) -> Contact:
    """Asks the coordinator who it is; the first time the answer is pinned and shown, later it must be the same.

    Raises:
        VerificationError: `pin`: it now says something else; `protocol`: it speaks another version.
        TransportError: it cannot be reached, or no coordinator answers there.
    """
    api = Api(url, patience=patience, remarks=remarks or StderrRemarks())
    try:
        info = api.fetch(calls.info())
        pin = Pin.of(info)
        if verify_or_save(home.pins, api.url, pin) and not quiet:
            _show(api.url, info)
    except BaseException:
        api.close()
        raise
    return Contact(api, pin, info, home)


def _show(url: str, info: Info) -> None:
    lines = {
        "coordinator": f"{info.name} at {url}",
        "its key": to_address(info.coordinator),
        "chain": str(info.chain_id),
        "job ledger": to_address(info.job_ledger),
        "node registry": to_address(info.node_registry),
        "token": to_address(info.token),
    }
    sys.stderr.write("First contact; from now on these must stay the same:\n")
    for name, value in lines.items():
        sys.stderr.write(f"  {name:<14} {show_text(value)}\n")
