"""The learning's state after a round as its files publish it: for rounds that are not, or cannot be, recomputed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from client.auditor.learned import Learning, Unknown
from learning.evidence import OutcomeAccount, read_gradient, read_momentum
from learning.round import Void
from learning.sampling import draw_sample
from learning.state import KEPT, RoundState
from ledger import evidence
from ledger.statements import RoundHeader


def take_over(
    learning: Learning, state: RoundState, header: RoundHeader | None, files: Mapping[str, bytes]
) -> RoundState:
    """The state after a round: clip and momentum as published, the pool by drawing again, the public directions.

    A round void because the loss did not fall publishes no momentum: it leaves zeros.

    Digests of the round's updates are not known without its payloads: repetitions of them are not recognised later.

    Raises:
        Unknown: a file that it takes is not given.
        Malformed, WrongBlob: a file is not what it should be.
    """
    if header is None or evidence.OUTCOME not in files:
        raise Unknown(f"header or {evidence.OUTCOME} was not given")
    account = OutcomeAccount.from_bytes(files[evidence.OUTCOME])
    for name, published in ((evidence.MOMENTUM, account.void is None), (evidence.GRADIENT, account.scale is not None)):
        if published and name not in files:
            raise Unknown(f"{name} was not given")
    state = replace(state, clip=account.next_clip)
    if evidence.MOMENTUM in files:
        state = replace(state, momentum=read_momentum(files[evidence.MOMENTUM], learning.size))
    if account.void is Void.LOSS_DID_NOT_FALL:
        state = replace(state, momentum=np.zeros_like(state.momentum))
    if account.sample_digest is not None:
        draw = draw_sample(state.pool, learning.positions, learning.rules.sample_positions, header.beacon)
        state = replace(state, pool=draw.pool)
    gradient = read_gradient(files, learning.size)
    if gradient is None:
        return state
    base, model = learning.load_model(header.base_model), learning.load_model(header.next_model)
    move = model.astype(np.float64) - base.astype(np.float64)
    return replace(state, moves=(move, *state.moves)[:KEPT], gradients=(gradient, *state.gradients)[:KEPT])
