import pytest

from ledger.errors import MalformedHex, MalformedStatement
from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex

ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
# The examples of EIP-55 itself.
EIP55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


def test_hex_goes_there_and_back() -> None:
    assert to_hex(b"\x00\xff") == "0x00ff"
    assert parse_hex("0x00ff") == b"\x00\xff"
    assert parse_hex("0x") == b""


@pytest.mark.parametrize(
    "text",
    ["00ff", "0X00ff", "0x00FF", "0x0", "0x 00ff", "0x00ff ", "0x0g", "0x00\nff", "", "x", b"0x00", None, 0, "０x00"],
)
def test_parse_hex_refuses_other_forms(text: object) -> None:
    with pytest.raises(MalformedHex):
        parse_hex(text)


@pytest.mark.parametrize("text", ["0x" + "00" * 31, "0x" + "00" * 33, "0x"])
def test_parse_hex_refuses_another_length_and_names_the_field(text: str) -> None:
    with pytest.raises(MalformedHex, match=r"Receipt\.job: expected 32 bytes of hex"):
        parse_hex(text, 32, "Receipt.job")


@pytest.mark.parametrize("text", EIP55)
def test_addresses_of_eip55(text: str) -> None:
    assert to_address(parse_address(text)) == text
    assert parse_address(text) == parse_address(text.lower())


@pytest.mark.parametrize(
    "text",
    [
        ADDRESS.replace("dc3A", "Dc3A"),
        ADDRESS.upper().replace("0X", "0x"),
        ADDRESS.replace("0x", "0X"),
        ADDRESS[:-1],
        ADDRESS + "0",
        ADDRESS[2:],
        " " + ADDRESS[1:],
        bytes.fromhex(ADDRESS[2:]),
        None,
    ],
)
def test_parse_address_refuses_wrong_checksums_and_forms(text: object) -> None:
    with pytest.raises(MalformedHex):
        parse_address(text)


@pytest.mark.parametrize("value", [b"", bytes(19), bytes(32), bytearray(20), "0x"])
def test_to_address_takes_twenty_bytes_only(value: object) -> None:
    with pytest.raises(MalformedStatement, match="20 bytes"):
        to_address(value)  # type: ignore[arg-type]  # the point of the test
