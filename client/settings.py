"""Settings of the `tally` programs: environment variables `TALLY_…`; options on the command line come first."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from client.errors import ClientError


class SettingsRefused(ClientError):
    """An environment variable holds what it may not."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("wrong settings: " + "; ".join(problems))


class ClientSettings(BaseSettings):
    """What the programs take from the environment."""

    model_config = SettingsConfigDict(env_prefix="TALLY_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path("tallystick", appauthor=False))
    """Folder that holds everything: wallets, journals, pins, samples, models."""
    coordinator: str | None = None
    """Address of the coordinator, such as https://tally.example."""
    rpc: str | None = None
    """Address of a chain's RPC provider; anchors are checked there and own transactions sent there."""
    platform: str | None = None
    """Address of the platform that keeps the operator's viewing histories."""
    passphrase: SecretStr | None = None
    """Passphrase of the keystores, for machines without a person."""
    passphrase_file: Path | None = None
    """File whose first line is the passphrase of the keystores."""
    keystore_work: int = Field(default=2**18, ge=2**10, le=2**22)
    """Scrypt work factor n of new keystores, a power of two: time and memory double with it."""
    max_ahead: int = Field(default=8, ge=1, le=1_000)
    """Rounds without an anchor on chain after which a node stops contributing to a job."""
    anchor_slack_seconds: int = Field(default=300, ge=0)
    """How much later than its terms allow a receipt's anchorBy may lie, for clocks that differ."""
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    """Least level of the log lines on stderr."""


def load_settings() -> ClientSettings:
    """Reads the environment.

    Raises:
        SettingsRefused: a variable is out of range; every such variable is named.
    """
    try:
        return ClientSettings()
    except ValidationError as error:
        raise SettingsRefused(
            [f"TALLY_{str(item['loc'][0]).upper()}: {item['msg']}, got {item['input']!r}" for item in error.errors()]
        ) from None


def find_home() -> Path:
    """TALLY_HOME or its default, without reading any other setting."""
    home = os.environ.get("TALLY_HOME")
    return Path(home) if home else user_data_path("tallystick", appauthor=False)
