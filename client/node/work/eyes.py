"""What a dishonest node really sees: models, gradients and updates of the last rounds, over the same wire as everyone.

Evidence is for whoever signs in; this node does so with its own key. Nothing is fetched before a strategy looks at it,
and no more is kept than the last rounds. What the coordinator does not give is not seen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, overload

from client import calls
from client.call import Call
from client.errors import CoordinatorRefused
from client.identity import Identity
from learning.evidence import read_gradient
from learning.gradient import PublicGradient
from learning.parameters import Layout, Vector32
from learning.payload import read_update
from learning.quantise import Update
from learning.tensors import MAX_HEADER_BYTES, MalformedArrays, read_model
from ledger import evidence
from ledger.errors import Malformed

T = TypeVar("T")
Round = tuple[bytes, int]
"""A job and the number of one of its rounds."""

SEEN_ROUNDS = 8
SEEN_UPDATES = 64
"""So many rounds, and of each so many updates, bound what is fetched and kept."""

_ARRAY_BYTES = MAX_HEADER_BYTES + 8
_SMALL_FILE_BYTES = 64 << 20
_NOT_GIVEN = frozenset({401, 403, 404, 409, 410})


class Unseen(Sequence[T]):
    """A sequence that is loaded when it is first looked at; looking only at its last item, `newest`, loads nothing."""

    def __init__(self, load: Callable[[], Iterable[T]], *newest: T) -> None:
        self._load, self._newest = load, newest
        self._items: list[T] | None = None

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        if place == -1 and self._newest:
            return self._newest[-1]
        return self._look()[place]

    def __len__(self) -> int:
        return len(self._look())

    def _look(self) -> list[T]:
        if self._items is None:
            self._items = [*self._load(), *self._newest]
        return self._items


class Eyes:
    """Looks at a coordinator as one key; closes its connections when told to."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._models = _Recent[Round, Vector32]()
        self._gradients = _Recent[Round, PublicGradient]()
        self._updates = _Recent[Round, Sequence[Update]]()

    def see_models(self, job: bytes, number: int, layout: Layout, newest: Vector32) -> Sequence[Vector32]:
        """The base models of the last rounds, `[n] float32` each; `newest` is that of round `number`."""
        return Unseen(lambda: self._see(self._models, job, number, lambda at: self._fetch_model(at, layout)), newest)

    def see_gradients(self, job: bytes, number: int, size: int) -> Sequence[PublicGradient]:
        """The gradients that the last rounds before `number` published, `[size]`."""
        return Unseen(lambda: self._see(self._gradients, job, number, lambda at: self._fetch_gradient(at, size)))

    def see_updates(self, job: bytes, number: int, size: int) -> Sequence[Sequence[Update]]:
        """The updates of the last rounds before `number`, `[size] int16` each; rounds without any are left out."""
        return Unseen(lambda: self._see(self._updates, job, number, lambda at: self._fetch_updates(at, size)))

    def close(self) -> None:
        """Ends the connections."""
        self._identity.api.close()

    def _see(
        self, known: _Recent[Round, T], job: bytes, number: int, fetch: Callable[[Round], T | None]
    ) -> Iterable[T]:
        for earlier in range(max(1, number - SEEN_ROUNDS), number):
            try:
                found = known.find((job, earlier), fetch)
            except Malformed:
                # What a coordinator hands out may be anything: a round that cannot be read was not seen.
                continue
            if found is not None:
                yield found

    def _fetch_model(self, at: Round, layout: Layout) -> Vector32 | None:
        view = self._ask(calls.header(*at))
        limit = _ARRAY_BYTES + 4 * layout.size
        content = None if view is None else self._ask(calls.blob(view.header.statement.base_model, limit))
        return None if content is None else read_model(layout, content)

    def _fetch_gradient(self, at: Round, size: int) -> PublicGradient | None:
        limits = {evidence.OUTCOME: _SMALL_FILE_BYTES, evidence.GRADIENT: _ARRAY_BYTES + 4 * size}
        files = {name: self._ask(calls.evidence(*at, name, limit)) for name, limit in limits.items()}
        given = {name: content for name, content in files.items() if content is not None}
        return read_gradient(given, size) if evidence.OUTCOME in given else None

    def _fetch_updates(self, at: Round, size: int) -> Sequence[Update] | None:
        content = self._ask(calls.evidence(*at, evidence.OPENINGS, _SMALL_FILE_BYTES))
        openings = [] if content is None else evidence.decode_openings(content)
        digests = [opening.payload_sha256 for opening in openings if opening is not None]
        chosen = digests[:: max(1, -(-len(digests) // SEEN_UPDATES))]
        updates = [self._fetch_update(digest, size) for digest in chosen]
        return [update for update in updates if update is not None] or None

    def _fetch_update(self, digest: bytes, size: int) -> Update | None:
        content = self._ask(calls.blob(digest, _ARRAY_BYTES + 2 * size))
        try:
            return None if content is None else read_update(content, size)
        except MalformedArrays:
            # Somebody revealed bytes that are no update: whoever copies looks for others.
            return None

    def _ask(self, call: Call[T]) -> T | None:
        """What the coordinator gives, None for what it does not give; raises what `Identity.fetch` raises."""
        try:
            return self._identity.fetch(call)
        except CoordinatorRefused as error:
            if error.status not in _NOT_GIVEN:
                raise
            return None


K = TypeVar("K")


class _Recent(OrderedDict[K, T]):
    """The values asked for last. What was not given is asked for again."""

    def find(self, key: K, load: Callable[[K], T | None]) -> T | None:
        value = self.get(key)
        if value is None:
            value = load(key)
        if value is not None:
            self[key] = value
            self.move_to_end(key)
            if len(self) > SEEN_ROUNDS:
                self.popitem(last=False)
        return value
