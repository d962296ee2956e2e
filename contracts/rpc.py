"""One connection to a chain's JSON-RPC provider, over web3's HTTP provider: limits, retries, plain errors.

web3 is imported when the first connection is made, so that programs which only print their help stay fast.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from contracts.errors import ChainUnreachable, ProviderRefused
from contracts.recursion import keep_recursion_limit

if TYPE_CHECKING:
    import requests
    from web3.types import RPCEndpoint

# Hosts that a proxy from the environment could only break.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

# JSON-RPC codes that mean "ask again later": limit exceeded (EIP-1474), resource unavailable (EIP-1474).
BUSY = frozenset({-32005, -32002, 429})

# Connections kept open for threads that ask at the same time.
MOST_CONNECTIONS = 32

# Request timeout, too early, too many requests.
RETRIED_STATUSES = frozenset({408, 425, 429})


class Rpc:
    """A provider at one URL. Safe to use from several threads.

    Args:
        url: http or https address of the provider.
        timeout_seconds: limit of a single request.
        attempts: how often a read is tried before ChainUnreachable; waits double from `backoff_seconds`.
        sleep: waits that many seconds between attempts.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 10.0,
        attempts: int = 5,
        backoff_seconds: float = 0.2,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import requests  # noqa: PLC0415 -- with web3, one second of imports
        from web3 import HTTPProvider  # noqa: PLC0415

        keep_recursion_limit()
        self.url = url
        self._attempts = attempts
        self._backoff_seconds = backoff_seconds
        self._sleep = sleep
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=MOST_CONNECTIONS))
        self._session.trust_env = urlsplit(url).hostname not in LOOPBACK
        self._provider = HTTPProvider(
            url,
            request_kwargs={"timeout": timeout_seconds},
            session=self._session,
            # Retries are made here, where it is known which requests may be repeated.
            exception_retry_configuration=None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def fetch(self, method: str, *params: object) -> Any:
        """Return the result of a request that changes nothing; repeated with growing waits when the wire fails.

        Raises:
            ChainUnreachable: no answer after all attempts.
            ProviderRefused: the provider answered with an error.
        """
        return self._request(method, params, self._attempts)

    def send(self, method: str, *params: object) -> Any:
        """Return the result of a request that changes something; made once, so that the caller decides on repeating.

        Raises:
            ChainUnreachable: no answer came: it is not known whether the request took effect.
            ProviderRefused: the provider answered with an error.
        """
        return self._request(method, params, 1)

    def _request(self, method: str, params: tuple[object, ...], attempts: int) -> Any:
        reason = "no attempt"
        for attempt in range(attempts):
            if attempt:
                self._sleep(self._backoff_seconds * 2 ** (attempt - 1))
            try:
                response = self._exchange(method, params)
            except _NoAnswer as failure:
                reason = str(failure)
                continue
            error = response.get("error")
            if error is None:
                return response.get("result")
            refusal = _read_error(method, error)
            if refusal.code not in BUSY:
                raise refusal
            reason = str(refusal)
        raise ChainUnreachable(self.url, reason, attempts)

    def _exchange(self, method: str, params: tuple[object, ...]) -> dict[str, Any]:
        import requests  # noqa: PLC0415
        from web3.exceptions import Web3Exception  # noqa: PLC0415

        try:
            response = self._provider.make_request(cast("RPCEndpoint", method), list(params))
        except requests.Timeout:
            raise _NoAnswer("no answer in time") from None
        except requests.HTTPError as error:
            return _read_status(method, error.response)
        except requests.RequestException as error:
            raise _NoAnswer(_describe_failure(error)) from None
        except (Web3Exception, ValueError) as error:
            raise _NoAnswer(f"an answer that is not JSON-RPC ({type(error).__name__})") from None
        if not isinstance(response, dict):
            raise _NoAnswer("an answer that is not a JSON-RPC object")
        return cast("dict[str, Any]", response)


class _NoAnswer(Exception):
    """One exchange failed on the wire; the loop above decides what follows."""


def _read_status(method: str, response: requests.Response | None) -> dict[str, Any]:
    """Return the JSON-RPC error in an HTTP error's body, as some providers answer; their limits come as 4xx."""
    status = 0 if response is None else response.status_code
    if response is None or status >= 500 or status in RETRIED_STATUSES:
        raise _NoAnswer(f"HTTP status {status}")
    try:
        value = response.json()
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and value.get("error") is not None:
        return value
    raise ProviderRefused(method, status, f"HTTP status {status}")


def _describe_failure(error: Exception) -> str:
    # The full text repeats the URL with its path; the class and the innermost reason are enough.
    reason = getattr(error.args[0], "reason", None) if error.args else None
    text = str(reason or type(error).__name__)
    return text.rsplit(": ", 1)[-1]


def _read_error(method: str, error: object) -> ProviderRefused:
    if not isinstance(error, dict):
        return ProviderRefused(method, 0, str(error))
    code = error.get("code")
    return ProviderRefused(
        method, code if isinstance(code, int) else 0, str(error.get("message", "")), error.get("data")
    )
