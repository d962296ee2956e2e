import hashlib

import pytest

from ledger import hashing
from ledger.hashing import keccak256, sha256


def test_keccak256_is_the_evms_and_not_sha3() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"") != hashlib.sha3_256(b"").digest()


def test_sha256_of_the_empty_string() -> None:
    assert sha256(b"").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("value", ["text", bytearray(b"x"), memoryview(b"x"), None])
def test_keccak256_takes_bytes_only(value: object) -> None:
    with pytest.raises(TypeError):
        keccak256(value)  # type: ignore[arg-type]  # the point of the test


def test_self_test_stops_a_build_that_hashes_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "keccak256", lambda content: hashlib.sha3_256(content).digest())
    with pytest.raises(ImportError, match="expected c5d24601"):
        hashing._test_keccak()
