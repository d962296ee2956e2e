"""The learning's state after a round as its files publish it: for rounds that are not, or cannot be, recomputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from client.auditor.learning.learned import Learning, Unknown
from client.auditor.learning.stated import StatedUpdate
from learning.evidence import OutcomeAccount, read_gradient, read_moments, read_reference
from learning.optimiser import Moments, list_published
from learning.round import Void
from learning.rules import TRUST_WEIGHTED
from learning.sampling import draw_sample
from learning.screening.memory import EarlierUpdate, Memory
from learning.screening.rules import LEAST_JUDGED
from learning.state import RoundState
from ledger import evidence
from ledger.screening import Original
from ledger.verify.bundle import RoundEvidence


def take_over(
    learning: Learning,
    state: RoundState,
    read: RoundEvidence,
    files: Mapping[str, bytes],
    memory: Memory | None = None,
    stated: Sequence[StatedUpdate] = (),
) -> RoundState:
    """The state after a round: clip and momentum as published, the pool by drawing again, the public directions.

    A round void because the loss did not fall publishes no momentum: it leaves zeros. `memory` is what was seen of the
    round's updates; else they are known as the round's own account names them: `stated`.

    Raises:
        Unknown: a file that it takes is not given.
        Malformed, WrongBlob: a file is not what it should be.
    """
    header = read.head
    if header is None or evidence.OUTCOME not in files:
        raise Unknown(f"header or {evidence.OUTCOME} was not given")
    state = replace(state, memory=_remember(learning, state, stated) if memory is None else memory)
    account = OutcomeAccount.from_bytes(files[evidence.OUTCOME])
    scored = account.scale is not None and not learning.blind
    for name, published in ((evidence.MOMENTUM, account.void is None), (evidence.GRADIENT, scored)):
        if published and name not in files:
            raise Unknown(f"{name} was not given")
    rules = learning.rules
    state = _take_reference(learning, replace(state, clip=account.next_clip), files)
    moments = Moments(state.momentum, state.second)
    if evidence.MOMENTUM in files:
        moments = read_moments(files[evidence.MOMENTUM], learning.size, rules)
        state = replace(state, momentum=moments.momentum, second=moments.second)
    if account.void is Void.LOSS_DID_NOT_FALL:
        state = replace(state, momentum=np.zeros_like(state.momentum))
    if learning.blind:
        return state
    if account.sample_digest is not None:
        draw = draw_sample(state.pool, learning.positions, rules.sample_positions, header.beacon)
        state = replace(state, pool=draw.pool)
    gradient = read_gradient(files, learning.size)
    if gradient is None:
        return state
    base, model = learning.load_model(header.base_model), learning.load_model(header.next_model)
    return state.with_move(base, model, list_published(gradient, moments, rules), rules)


def _take_reference(learning: Learning, state: RoundState, files: Mapping[str, bytes]) -> RoundState:
    """A reference is public from its round on, whatever became of that."""
    if learning.rules.aggregation_rule != TRUST_WEIGHTED or learning.blind:
        return state
    if evidence.MANIFEST not in files:
        raise Unknown(f"{evidence.MANIFEST} was not given")
    reference = read_reference(files, learning.size)
    if reference is not None:
        return state.with_reference(reference, learning.rules)
    if evidence.REFERENCE in evidence.Manifest.from_bytes(files[evidence.MANIFEST]).files:
        raise Unknown(f"{evidence.REFERENCE} was not given")
    return state


def _remember(learning: Learning, state: RoundState, stated: Sequence[StatedUpdate]) -> Memory:
    """The updates that may be copied, as the round's account names them."""
    passed: dict[bytes, Original] = {}
    refused: dict[bytes, Original] = {}
    compared = []
    for one in stated:
        norm_squared = one.norm_squared or 0
        if one.update is not None and norm_squared >= LEAST_JUDGED:
            (passed if one.passed else refused).setdefault(one.update, one.place)
            if one.passed:
                compared.append(EarlierUpdate(one.place, one.payload, norm_squared))
    return state.memory.after({**refused, **passed}, compared, learning.rules.screening.window)
