import pickle
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from ledger.errors import MalformedSignature
from ledger.signatures import (
    Signer,
    WrongSigner,
    check_signature,
    recover,
    recover_message,
    verify_signature,
)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# The first account of the well-known dev chain mnemonic.
KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")
DIGEST = bytes(range(32))


@pytest.fixture
def signer() -> Signer:
    return Signer(KEY)


def test_address_of_a_known_key(signer: Signer) -> None:
    assert signer.address == ADDRESS


def test_signature_is_deterministic_and_recovers(signer: Signer) -> None:
    signature = signer.sign(DIGEST)
    assert signature == Signer(KEY).sign(DIGEST)
    assert recover(DIGEST, signature) == ADDRESS
    verify_signature(DIGEST, signature, ADDRESS)


def test_signature_is_the_one_of_other_implementations(signer: Signer) -> None:
    other = Account.unsafe_sign_hash(DIGEST, KEY)
    assert signer.sign(DIGEST) == bytes(other.signature)


def test_message_signature_is_personal_sign(signer: Signer) -> None:
    text = "Tallystick wants you to sign in: é"
    signature = signer.sign_message(text)
    assert signature == bytes(Account.sign_message(encode_defunct(text=text), KEY).signature)
    assert recover_message(text, signature) == ADDRESS
    assert recover_message(text + ".", signature) != ADDRESS


def test_wrong_signer_names_both_addresses(signer: Signer) -> None:
    with pytest.raises(WrongSigner) as caught:
        verify_signature(DIGEST, signer.sign(DIGEST), bytes(20))
    assert (caught.value.expected_address, caught.value.got_address) == (bytes(20), ADDRESS)
    assert caught.value.check == "signature"


@pytest.mark.parametrize("at", range(20))
def test_every_byte_of_the_address_counts(signer: Signer, at: int) -> None:
    other = ADDRESS[:at] + bytes((ADDRESS[at] ^ 1,)) + ADDRESS[at + 1 :]
    with pytest.raises(WrongSigner):
        verify_signature(DIGEST, signer.sign(DIGEST), other)


def test_flipped_s_is_refused_although_the_curve_accepts_it(signer: Signer) -> None:
    signature = signer.sign(DIGEST)
    s, v = int.from_bytes(signature[32:64], "big"), signature[64]
    twin = signature[:32] + (ORDER - s).to_bytes(32, "big") + bytes((55 - v,))
    with pytest.raises(MalformedSignature, match=r"signature\.s"):
        recover(DIGEST, twin)


def test_half_of_the_order_is_the_largest_s() -> None:
    r = (1).to_bytes(32, "big")
    check_signature(r + (ORDER // 2).to_bytes(32, "big") + b"\x1b")
    with pytest.raises(MalformedSignature, match=r"signature\.s"):
        check_signature(r + (ORDER // 2 + 1).to_bytes(32, "big") + b"\x1b")


@pytest.mark.parametrize("v", [v for v in range(256) if v not in (27, 28)])
def test_any_other_v_is_refused(signer: Signer, v: int) -> None:
    with pytest.raises(MalformedSignature, match=r"signature\.v"):
        recover(DIGEST, signer.sign(DIGEST)[:64] + bytes((v,)))


@pytest.mark.parametrize("r", [0, ORDER, ORDER + 1, (1 << 256) - 1])
def test_r_outside_the_group_is_refused(signer: Signer, r: int) -> None:
    with pytest.raises(MalformedSignature, match=r"signature\.r"):
        recover(DIGEST, r.to_bytes(32, "big") + signer.sign(DIGEST)[32:])


@pytest.mark.parametrize("s", [0, ORDER, (1 << 256) - 1])
def test_s_outside_the_group_is_refused(signer: Signer, s: int) -> None:
    signature = signer.sign(DIGEST)
    with pytest.raises(MalformedSignature, match=r"signature\.s"):
        recover(DIGEST, signature[:32] + s.to_bytes(32, "big") + signature[64:])


def test_r_of_no_point_is_refused(signer: Signer) -> None:
    with pytest.raises(MalformedSignature, match="some key"):
        recover(DIGEST, (5).to_bytes(32, "big") + signer.sign(DIGEST)[32:])


def test_other_types_and_lengths_are_refused(signer: Signer) -> None:
    signature = signer.sign(DIGEST)
    wrong: list[Any] = [signature[:64], signature + b"\0", b"", bytearray(signature), signature.hex(), None]
    for bad in wrong:
        with pytest.raises(MalformedSignature, match="65 bytes"):
            recover(DIGEST, bad)


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33), bytearray(32), "00" * 32])
def test_digest_must_be_whole(signer: Signer, digest: Any) -> None:
    with pytest.raises(MalformedSignature, match="digest"):
        signer.sign(digest)
    with pytest.raises(MalformedSignature, match="digest"):
        recover(digest, signer.sign(DIGEST))


@pytest.mark.parametrize(
    "key", [bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32, b"", KEY + b"\0", bytearray(KEY), KEY.hex()]
)
def test_impossible_key_is_refused_without_being_shown(key: Any) -> None:
    with pytest.raises(MalformedSignature) as caught:
        Signer(key)
    assert KEY.hex()[:8] not in str(caught.value)
    assert "ff" * 4 not in str(caught.value)


def test_key_stays_inside_the_signer(signer: Signer) -> None:
    assert KEY.hex() not in repr(signer)
    assert repr(signer) == f"Signer(0x{ADDRESS.hex()})"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(signer)
