"""A request as data: what is asked, how large an answer may be, what it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

MESSAGE_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, read to its end."""

    status: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        method: HTTP method.
        path: path below the coordinator's address.
        decode: makes the result of an answer with a status below 400; raises ValueError when it is no such message.
        params: query.
        body: bytes sent along.
        headers: beyond the usual ones.
        limit_bytes: longest answer that is read.
        repeatable: whether sending it twice does what sending it once does.
        wait_seconds: how long the other side may hold the answer back.
    """

    method: str
    path: str
    decode: Callable[[Answer], T]
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    limit_bytes: int = MESSAGE_LIMIT_BYTES
    repeatable: bool = True
    wait_seconds: float = 0.0
