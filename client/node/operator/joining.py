"""Joining: a registration signed by the node's own key, relayed by the coordinator, so that a node needs no coin."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from client import calls
from client.api import AsyncApi
from client.errors import ClientError, CoordinatorRefused
from client.pins import Pin
from ledger.hexadecimal import to_address
from ledger.signatures import Signer
from ledger.statements import Registration, Signed
from ledger.wire import Hardware, NodeRegistration, NodeView

REGISTRATION_SECONDS: Final = 86_400
"""How long the relay may take."""
LOOK_SECONDS: Final = 1.0
AT_ONCE: Final = 16
PATIENT_LOOKS: Final = 6


class NodeRefused(ClientError):
    """The registration did not come about."""

    def __init__(self, node: bytes, detail: str) -> None:
        self.node, self.detail = node, detail
        super().__init__(f"node {to_address(node)} could not be registered: {detail}")


class OtherOperator(ClientError):
    """The node is registered to somebody else than was asked for."""

    def __init__(self, node: bytes, expected: bytes, got: bytes) -> None:
        self.node, self.expected, self.got = node, expected, got
        super().__init__(
            f"node {to_address(node)} is registered to the operator {to_address(got)}, expected "
            f"{to_address(expected)}: an operator keeps a node for good; use another wallet, or leave out --operator"
        )


class OtherPayout(ClientError):
    """The node is registered with another payout address than was asked for."""

    def __init__(self, node: bytes, expected: bytes, got: bytes) -> None:
        self.node, self.expected, self.got = node, expected, got
        super().__init__(
            f"node {to_address(node)} is registered already and is paid at {to_address(got)}, expected "
            f"{to_address(expected)}: `tally node payout {to_address(expected)}` changes that"
        )


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Whom new registrations name: `operator` owns them, `payout` (None: each node's own address) gets the earnings."""

    operator: bytes
    payout: bytes | None
    insisted: bool
    """Whether the person named the operator: then a node that has another one is an error."""
    payout_insisted: bool = False
    """Whether the person named the payout address: then a node that is paid elsewhere is an error."""


def describe_hardware() -> Hardware:
    """What this machine is."""
    return Hardware(
        platform=platform.platform()[:200],
        processor=(platform.processor() or platform.machine())[:200],
        cores=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
    )


class PatientTeller:
    """Says on stderr, once, that a registration takes longer than the chain usually needs."""

    def __init__(self) -> None:
        self._looks = 0

    def __call__(self, registered: int, of: int) -> None:
        """Hears of one more look."""
        self._looks += 1
        if self._looks == PATIENT_LOOKS and registered < of:
            sys.stderr.write(
                "waiting for the coordinator's transaction; the registration is kept, `tally node status` shows why "
                "it waits\n"
            )


def verify_payout(view: NodeView, enrolment: Enrolment) -> None:
    """Checks that a registered node is paid where the person said. Raises OtherPayout."""
    expected = enrolment.payout or view.node
    if view.payout != expected:
        raise OtherPayout(view.node, expected, view.payout)


async def ensure_registered(
    api: AsyncApi,
    pin: Pin,
    signers: Sequence[Signer],
    enrolment: Enrolment,
    *,
    version: str,
    now: Callable[[], float],
    tell: Callable[[int, int], None],
) -> list[NodeView]:
    """Registers the nodes that are not registered yet and waits until the chain has them all.

    `tell(registered, of)` hears of the progress.

    Raises:
        NodeRefused: the coordinator or the contract refused one.
        OtherOperator: one belongs to another operator than the person insisted on.
        OtherPayout: one is paid at another address than the person insisted on.
        VerificationError, TransportError: as `AsyncApi.fetch` raises them.
    """
    known = await _look(api, signers)
    turn = asyncio.Semaphore(AT_ONCE)
    hardware = describe_hardware()

    async def register(signer: Signer) -> None:
        async with turn:
            deadline = int(now()) + REGISTRATION_SECONDS
            statement = Registration(signer.address, enrolment.operator, enrolment.payout or signer.address, deadline)
            registration = Signed.issue(statement, pin.registry_domain, signer)
            request = NodeRegistration(registration=registration, hardware=hardware, version=version)
            try:
                known[signer.address] = await api.fetch(calls.register(request))
            except CoordinatorRefused as error:
                raise NodeRefused(signer.address, str(error)) from None

    await asyncio.gather(*(register(signer) for signer in signers if not _is_under_way(known.get(signer.address))))
    while True:
        views = [known[signer.address] for signer in signers]
        for view in views:
            _check(view, enrolment)
        registered = sum(view.state == "registered" for view in views)
        tell(registered, len(views))
        if registered == len(views):
            return views
        await asyncio.sleep(LOOK_SECONDS)
        known |= await _look(api, signers)


async def _look(api: AsyncApi, signers: Sequence[Signer]) -> dict[bytes, NodeView]:
    """What the coordinator knows of these nodes: one question for one, the whole list for many."""
    if len(signers) > 1:
        return {view.node: view for view in await api.fetch(calls.nodes())}
    try:
        view = await api.fetch(calls.node(signers[0].address))
    except CoordinatorRefused as error:
        if error.status != 404:
            raise
        return {}
    return {view.node: view}


def _is_under_way(view: NodeView | None) -> bool:
    return view is not None and view.state in ("pending", "registered")


def _check(view: NodeView, enrolment: Enrolment) -> None:
    if view.state == "refused":
        raise NodeRefused(view.node, view.detail)
    if enrolment.insisted and view.operator != enrolment.operator:
        raise OtherOperator(view.node, enrolment.operator, view.operator)
    if enrolment.payout_insisted and view.state == "registered":
        verify_payout(view, enrolment)
