"""Lies about what was learned: payloads, verdicts, sums, models, samples, gradients and scores."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from client.auditor.evidence.bundle import name_blob, name_round
from learning.tensors import ArrayType, read_arrays, write_arrays
from ledger import canonical, evidence
from ledger.entry import Verdict
from ledger.hashing import keccak256, sha256
from tests.conformance.case import ANY, LEARNING, Case, drop, edit, flip
from tests.conformance.case import UNKNOWN as NOT_KNOWN
from tests.conformance.draft import LAST, Draft

OTHER = keccak256(b"something else")


def list_learning() -> Iterator[Case]:
    yield Case("payload-digest", "one-bit", _flip_payload)
    yield Case("payload-digest", "missing-byte", _cut_payload)
    yield Case("payload-digest", "left-out", _drop_payload, outcome=NOT_KNOWN)
    yield Case("screening", "refused-without-reason", partial(_judge, {1: Verdict.NORM}), others=ANY)
    yield Case("screening", "reason-invented", partial(_reason, {"rule": "noise", "kurtosis": "1.000000"}))
    yield Case("screening", "norm-rewritten", partial(_reason, {"normSquared": "64"}))
    yield Case("screening", "unrevealed-called-malformed", partial(_judge, {3: Verdict.MALFORMED}), others=ANY)
    yield Case("aggregate", "one-number-more", partial(_bend_array, evidence.AGGREGATE))
    yield Case("aggregate", "of-the-round-before", partial(_older, evidence.AGGREGATE))
    yield Case("aggregate", "left-out-of-the-round", _omit_aggregate, others=ANY)
    yield Case("next-model", "another", _swap_model)
    yield Case("next-model", "the-base-again", lambda draft: draft.header.update(next_model=draft.head.base_model))
    yield Case("next-model", "other-bytes-handed-out", _hand_out_another)
    yield Case("next-model", "momentum-bent", partial(_bend_array, evidence.MOMENTUM))
    yield Case("sample", "another", partial(_outcome, "sampleDigest", lambda _: "0x" + OTHER.hex()), others=ANY)
    yield Case("outcome", "loss-before-rewritten", partial(_outcome, "lossBefore", lambda _: "9.000000000"))
    yield Case("outcome", "next-clip-doubled", partial(_outcome, "nextClip", lambda clip: 2 * clip))
    yield Case("outcome", "halved-once-more", partial(_outcome, "halvings", lambda halvings: halvings + 1))
    yield Case("outcome", "missing-byte", _cut_outcome, LEARNING)
    yield Case("gradient", "of-the-round-before", partial(_older, evidence.GRADIENT), others=ANY)
    yield Case("gradient", "negated", _negate_gradient, others=ANY)
    yield Case("reference", "of-a-rule-without", _publish_reference)
    yield Case("reference", "rubbish", lambda draft: draft.arrays.update({evidence.REFERENCE: b"rubbish"}))
    yield Case("scores", "one-more", partial(_score, {0: 1}))
    yield Case("scores", "doubled", partial(_score, {2: 34336893622}))
    yield Case("scores", "moved-to-another-node", partial(_score, {0: 10**9, 1: -(10**9)}))


def _flip_payload(draft: Draft) -> Any:
    return edit(_find_payload(draft), partial(flip, bit=4_321))


def _cut_payload(draft: Draft) -> Any:
    return edit(_find_payload(draft), lambda content: content[:-1])


def _drop_payload(draft: Draft) -> Any:
    return drop(_find_payload(draft))


def _find_payload(draft: Draft) -> str:
    opening = draft.openings[2]
    assert opening is not None
    return name_blob(opening.payload_sha256)


def _judge(verdicts: dict[int, Verdict], draft: Draft) -> None:
    draft.account(verdicts=verdicts)


def _bend_array(name: str, draft: Draft) -> None:
    draft.arrays[name] = flip(draft.arrays[name], 8 * (len(draft.arrays[name]) - 8))


def _older(name: str, draft: Draft) -> None:
    draft.arrays[name] = draft.files[name_round(LAST - 1, name)]


def _omit_aggregate(draft: Draft) -> None:
    del draft.arrays[evidence.AGGREGATE]


def _swap_model(draft: Draft) -> None:
    """A model that nobody trained, handed out under its own digest."""
    content = bytearray(draft.files[name_blob(draft.head.next_model)])
    content[-1] ^= 1
    draft.files[name_blob(sha256(bytes(content)))] = bytes(content)
    draft.header.update(next_model=sha256(bytes(content)))


def _hand_out_another(draft: Draft) -> Any:
    return edit(name_blob(draft.head.next_model), partial(flip, bit=8_001))


def _outcome(member: str, change: Callable[[Any], Any], draft: Draft) -> None:
    value: Any = canonical.decode(draft.arrays[evidence.OUTCOME])
    draft.arrays[evidence.OUTCOME] = canonical.encode({**value, member: change(value[member])})


def _reason(members: Mapping[str, str], draft: Draft) -> None:
    """The account of screening says something else of the first contribution."""
    value: Any = canonical.decode(draft.arrays[evidence.SCREENING])
    first, *rest = value["contributions"]
    bent = {**value, "contributions": [{**first, **members}, *rest]}
    draft.arrays[evidence.SCREENING] = canonical.encode(bent)


def _cut_outcome(draft: Draft) -> None:
    draft.arrays[evidence.OUTCOME] = draft.arrays[evidence.OUTCOME][:-1]


def _negate_gradient(draft: Draft) -> None:
    draft.arrays[evidence.GRADIENT] = write_arrays({"gradient": -_read_gradient(draft)})


def _publish_reference(draft: Draft) -> None:
    """The rule is the mean, which takes none."""
    arrays = {"reference": -_read_gradient(draft), "scale": np.array([20])}
    draft.arrays[evidence.REFERENCE] = write_arrays(arrays)


def _read_gradient(draft: Draft) -> NDArray[np.int32]:
    content = draft.arrays[evidence.GRADIENT]
    return read_arrays(content, {"gradient": ArrayType("I32", (None,))}, "gradient", len(content))["gradient"]


def _score(changes: dict[int, int], draft: Draft) -> None:
    draft.account(scores={seq: draft.entries[seq].body.score + more for seq, more in changes.items()})
