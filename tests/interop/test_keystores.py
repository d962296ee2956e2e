"""ethers and cast open wallets of ours, and we open theirs."""

from pathlib import Path

from client.wallet import create_wallet, unlock_wallet
from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.signatures import Signer
from tests.interop.conftest import RunCast, RunScript

PASSPHRASE = "cørrect horse battery staple"
THEIR_KEY = bytes(range(1, 33))


def test_ethers_opens_ours_and_we_open_its(tmp_path: Path, run_script: RunScript) -> None:
    path = tmp_path / "ours.json"
    signer = create_wallet(path, PASSPHRASE, work=2**12)
    theirs = run_script(
        "keystores",
        {
            "keystore": path.read_text(encoding="utf-8"),
            "passphrase": PASSPHRASE,
            "privateKey": to_hex(THEIR_KEY),
        },
    )
    assert theirs["address"] == to_address(signer.address)
    assert Signer(parse_hex(theirs["privateKey"], 32)).address == signer.address
    other = tmp_path / "theirs.json"
    other.write_text(theirs["keystore"], encoding="utf-8")
    assert unlock_wallet(other, PASSPHRASE).address == Signer(THEIR_KEY).address


def test_cast_opens_ours(tmp_path: Path, run_cast: RunCast) -> None:
    signer = create_wallet(tmp_path / "ours", PASSPHRASE, work=2**12)
    answer = run_cast(
        "wallet", "decrypt-keystore", "ours", "--keystore-dir", str(tmp_path), "--unsafe-password", PASSPHRASE
    )
    assert Signer(parse_hex(answer.split()[-1], 32)).address == signer.address


def test_we_open_casts(tmp_path: Path, run_cast: RunCast) -> None:
    run_cast(
        "wallet",
        "import",
        "theirs",
        "--keystore-dir",
        str(tmp_path),
        "--private-key",
        to_hex(THEIR_KEY),
        "--unsafe-password",
        PASSPHRASE,
    )
    assert unlock_wallet(tmp_path / "theirs", PASSPHRASE).address == Signer(THEIR_KEY).address
