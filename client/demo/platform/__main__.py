"""`python -m client.demo.platform`: serves a catalogue on loopback until it is stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from client.demo.platform.app import create_app
from client.demo.platform.catalogue import Catalogue
from client.demo.platform.register import Register
from client.demo.platform.vouchers import VoucherDesk


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(
        prog="platform", description="A small video platform that serves viewers' histories."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with ml-100k.inter and ml-100k.item")
    parser.add_argument("--secret-file", type=Path, required=True, help="file with the secret that signs access tokens")
    parser.add_argument("--key-file", type=Path, required=True, help="file with the key that signs vouchers, in hex")
    parser.add_argument("--register", type=Path, required=True, help="file that keeps what was served and vouched for")
    parser.add_argument("--port", type=int, required=True, help="loopback port")
    arguments = parser.parse_args()
    catalogue = Catalogue.load(arguments.data)
    key = bytes.fromhex(arguments.key_file.read_text(encoding="utf-8").strip().removeprefix("0x"))
    desk = VoucherDesk(catalogue, Register(arguments.register), key)
    app = create_app(catalogue, arguments.secret_file.read_bytes().strip(), desk)
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
