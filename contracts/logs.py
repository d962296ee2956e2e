"""Reads logs by block range, in bounded pieces, and turns them into typed events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts import court_events, job_events, money_events, node_events
from contracts.abi import Interface, MalformedAnswer
from contracts.deployment import Deployment
from contracts.errors import ProviderRefused
from contracts.events import Event, Place
from contracts.rpc import Rpc
from ledger.errors import MalformedHex
from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex

LONGEST_RANGE = 5_000
"""Blocks asked for at once. Public providers refuse more than 500 to 10,000; what they refuse is halved."""

SOURCES = ("JobLedger", "NodeRegistry", "ChallengeCourt")

KINDS: dict[str, type[Event]] = {
    name: kind
    for module in (job_events, money_events, node_events, court_events)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}
"""Every event we know, by its Solidity name."""


class LogReader:
    """Reads the events of a deployment's ledger, registry and court.

    Args:
        rpc: connection to the provider.
        deployment: whose contracts are listened to.
        interfaces: ABI by Solidity name.
        longest_range: blocks asked for at once.
    """

    def __init__(
        self,
        rpc: Rpc,
        deployment: Deployment,
        interfaces: Mapping[str, Interface],
        longest_range: int = LONGEST_RANGE,
    ) -> None:
        self._rpc = rpc
        self._sources = {address: interfaces[name] for name, address in deployment.addresses.items() if name in SOURCES}
        self._first_block = deployment.block
        self._longest_range = longest_range

    def fetch(
        self,
        first_block: int,
        last_block: int,
        kinds: Sequence[type[Event]] = (),
        job: bytes | None = None,
        round_number: int | None = None,
    ) -> tuple[Event, ...]:
        """Return the events of a range of blocks, both ends included, in chain order; see `Gateway.fetch_events`.

        `round_number` is for events whose second indexed member is the round.

        Raises:
            MalformedAnswer: a log is not what was asked for, or does not fit its event.
        """
        wanted = {kind.__name__ for kind in kinds} or set(KINDS)
        topics: list[object] = [self._find_topics(wanted)]
        if job is not None:
            topics.append(to_hex(job))
        if job is not None and round_number is not None:
            topics.append(to_hex(round_number.to_bytes(32, "big")))
        events = [
            self._decode(log, first, last)
            for first, last in self._split(max(first_block, self._first_block), last_block)
            for log in self._fetch_logs(first, last, topics)
        ]
        return tuple(sorted(events, key=lambda event: (event.place.block, event.place.log_index)))

    def _find_topics(self, wanted: set[str]) -> list[str]:
        return [
            to_hex(topic)
            for interface in self._sources.values()
            for topic, fragment in interface.events.items()
            if fragment["name"] in wanted and fragment["name"] in KINDS
        ]

    def _split(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        for start in range(first, last + 1, self._longest_range):
            yield start, min(start + self._longest_range - 1, last)

    def _fetch_logs(self, first: int, last: int, topics: list[object]) -> Iterator[Mapping[str, Any]]:
        addresses = [to_hex(address) for address in self._sources]
        query = {"address": addresses, "topics": topics, "fromBlock": hex(first), "toBlock": hex(last)}
        try:
            logs = self._rpc.fetch("eth_getLogs", query)
        except ProviderRefused:
            # Providers word their limits in many ways; only a single block that is refused is refused for good.
            if first == last:
                raise
            middle = (first + last) // 2
            yield from self._fetch_logs(first, middle, topics)
            yield from self._fetch_logs(middle + 1, last, topics)
        else:
            yield from logs

    def _decode(self, log: Mapping[str, Any], first: int, last: int) -> Event:
        try:
            source = parse_address(log["address"])
            place = Place(
                int(log["blockNumber"], 16),
                parse_hex(log["blockHash"], 32),
                parse_hex(log["transactionHash"], 32),
                int(log["logIndex"], 16),
            )
            topics, data = [parse_hex(topic, 32) for topic in log["topics"]], parse_hex(log["data"])
        except (KeyError, TypeError, ValueError, MalformedHex) as error:
            raise MalformedAnswer("a log", "a mined JSON-RPC log", f"{dict(log)} ({error})") from None
        if source not in self._sources or not first <= place.block <= last or log.get("removed"):
            raise MalformedAnswer(
                "a log", f"one of blocks {first} to {last} by our contracts", _describe(source, place)
            )
        decoded = self._sources[source].decode_event(topics, data)
        if decoded is None or decoded[0] not in KINDS:
            raise MalformedAnswer("a log", "an event that was asked for", _describe(source, place))
        name, values = decoded
        return KINDS[name].from_values(place, values)


def _describe(source: bytes, place: Place) -> str:
    return f"log {place.log_index} of block {place.block} by {to_address(source)}"
