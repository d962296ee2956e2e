"""What `tally-coordinator init` does: a key and a database, made once."""

from __future__ import annotations

import secrets

from coordinator.keystore import create_keystore, load_signer
from coordinator.schema import create_tables
from coordinator.settings import CoordinatorSettings
from coordinator.storage.bell import Bell
from coordinator.storage.database import Database
from ledger.hexadecimal import to_address


def set_up(settings: CoordinatorSettings) -> dict[str, str]:
    """Create what is missing and tell what there is: the coordinator's address, key file and database.

    Raises:
        KeystoreRefused: there is no passphrase, or it does not open the key that is there.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    exists = settings.keystore_path.exists()
    signer = load_signer(settings) if exists else create_keystore(settings, secrets.token_bytes)
    database = Database(settings.database, Bell())
    create_tables(database)
    database.close()
    return {
        "address": to_address(signer.address),
        "keystore": str(settings.keystore_path),
        "database": settings.database,
    }
