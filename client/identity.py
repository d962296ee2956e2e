"""Who is asking: a key that signs in when it must, and the token it got."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from client import calls
from client.api import Api, AsyncApi
from client.call import Call
from client.errors import CoordinatorRefused
from client.signin import verify_sign_in
from ledger import wire
from ledger.signatures import Signer

T = TypeVar("T")

RENEW_SECONDS = 60


class _Tokens:
    """The token of one address, and what it takes to get another."""

    def __init__(self, url: str, signer: Signer, chain_id: int, now: Callable[[], float]) -> None:
        self.signer = signer
        self._url, self._chain_id, self._now = url, chain_id, now
        self._session: wire.Session | None = None

    def find(self) -> str | None:
        """The token, if there is one that still holds for a minute."""
        if self._session is None or self._session.expires_at <= self._now() + RENEW_SECONDS:
            return None
        return self._session.token

    def sign(self, offer: wire.Nonce) -> wire.Login:
        """Checks the offered text and signs it. Raises VerificationError."""
        now = int(self._now())
        verify_sign_in(offer, url=self._url, address=self.signer.address, chain_id=self._chain_id, now=now)
        return wire.Login(message=offer.message, signature=self.signer.sign_message(offer.message))

    def keep(self, session: wire.Session) -> str:
        self._session = session
        return session.token

    def forget(self) -> None:
        self._session = None


class Identity:
    """Fetches as one key from one coordinator, for commands."""

    def __init__(self, api: Api, signer: Signer, chain_id: int, now: Callable[[], float] = time.time) -> None:
        self.api, self.signer = api, signer
        self._tokens = _Tokens(api.url, signer, chain_id, now)

    def sign_in(self) -> str:
        """A token, new only when the old one has run out. Raises VerificationError or what `Api.fetch` raises."""
        token = self._tokens.find()
        if token is None:
            offer = self.api.fetch(calls.ask_nonce(self.signer.address))
            token = self._tokens.keep(self.api.fetch(calls.log_in(self._tokens.sign(offer))))
        return token

    def fetch(self, call: Call[T]) -> T:
        """Sends a request with a token; signs in again when the coordinator no longer knows it."""
        try:
            return self.api.fetch(call, self.sign_in())
        except CoordinatorRefused as error:
            if error.status != 401:
                raise
        self._tokens.forget()
        return self.api.fetch(call, self.sign_in())


class AsyncIdentity:
    """The same for event loops."""

    def __init__(self, api: AsyncApi, signer: Signer, chain_id: int, now: Callable[[], float] = time.time) -> None:
        self.api, self.signer = api, signer
        self._tokens = _Tokens(api.url, signer, chain_id, now)

    async def sign_in(self) -> str:
        """A token, new only when the old one has run out."""
        token = self._tokens.find()
        if token is None:
            offer = await self.api.fetch(calls.ask_nonce(self.signer.address))
            token = self._tokens.keep(await self.api.fetch(calls.log_in(self._tokens.sign(offer))))
        return token

    async def fetch(self, call: Call[T]) -> T:
        """Sends a request with a token; signs in again when the coordinator no longer knows it."""
        try:
            return await self.api.fetch(call, await self.sign_in())
        except CoordinatorRefused as error:
            if error.status != 401:
                raise
        self._tokens.forget()
        return await self.api.fetch(call, await self.sign_in())
