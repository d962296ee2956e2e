import numpy as np
import pytest

from learning.quantise import Update
from learning.payload import Screen, compute_update_digest, read_update, write_update
from learning.tensors import MalformedArrays, write_arrays
from ledger.tally import Verdict

SIZE, CLIP = 4, 100


def update(*elements: int) -> Update:
    return np.array(elements, np.int16)


def screen(*earlier: Update) -> Screen:
    return Screen(SIZE, CLIP, {compute_update_digest(one) for one in earlier})


def test_payload_is_read_back() -> None:
    assert read_update(write_update(update(1, -2, 3, 32767)), SIZE).tolist() == [1, -2, 3, 32767]


def test_first_of_equal_updates_is_accepted_and_the_next_refused() -> None:
    judge = screen().judge
    verdicts = [
        judge(write_update(one)).verdict for one in (update(1, 2, 3, 4), update(4, 3, 2, 1), update(1, 2, 3, 4))
    ]
    assert verdicts == [Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.DUPLICATE]


def test_equal_update_in_another_file_is_still_a_duplicate() -> None:
    content = write_update(update(1, 2, 3, 4))
    length = int.from_bytes(content[:8], "little")
    padded = (length + 8).to_bytes(8, "little") + content[8 : 8 + length] + b" " * 8 + content[8 + length :]
    judge = screen().judge
    assert judge(content).verdict is Verdict.ACCEPTED
    assert judge(padded).verdict is Verdict.DUPLICATE


def test_update_of_an_earlier_round_is_recycled() -> None:
    assert screen(update(1, 2, 3, 4)).judge(write_update(update(1, 2, 3, 4))).verdict is Verdict.RECYCLED


def test_zero_updates_are_accepted_every_time() -> None:
    zero = update(0, 0, 0, 0)
    judging = screen(zero)
    assert [judging.judge(write_update(zero)).verdict for _ in range(3)] == [Verdict.ACCEPTED] * 3
    assert not judging.digests


@pytest.mark.parametrize(("largest", "verdict"), [(100, Verdict.ACCEPTED), (101, Verdict.NORM)])
def test_norm_bound_is_exact(largest: int, verdict: Verdict) -> None:
    result = screen().judge(write_update(update(largest, 0, 0, 0)))
    assert result.verdict is verdict
    assert (result.update is None) is (verdict is Verdict.NORM)


def test_refused_update_does_not_make_a_later_one_a_duplicate() -> None:
    judging = screen()
    judging.judge(write_update(update(101, 0, 0, 0)))
    assert not judging.digests


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        write_update(update(1, 2, 3)),
        write_arrays({"update": np.zeros(SIZE, np.int32)}),
        write_arrays({"update": np.full(SIZE, np.nan, np.float32)}),
        write_arrays({"updates": update(1, 2, 3, 4)}),
        write_update(update(-32768, 0, 0, 0)),
    ],
)
def test_malformed_payload_is_told_apart_with_a_reason(payload: bytes) -> None:
    result = screen().judge(payload)
    assert (result.verdict, result.update) == (Verdict.MALFORMED, None)
    assert "expected" in result.detail


def test_smallest_int16_is_malformed() -> None:
    with pytest.raises(MalformedArrays, match="elements of at least −32767, got -32768"):
        read_update(write_update(update(-32768, 0, 0, 0)), SIZE)
