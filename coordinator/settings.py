"""Settings of the coordinator: environment variables `TALLY_COORDINATOR_…`; options on the command line come first.

Every one is described for people in docs/deployment.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ledger.hexadecimal import parse_address

PREFIX = "TALLY_COORDINATOR_"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SHORTEST_SAFE_WINDOW_SECONDS = 3_600

_MEBIBYTE = 2**20


class SettingsRefused(Exception):
    """The settings are out of range, or unsafe for a service that others reach."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("wrong settings: " + "; ".join(problems))


def _check_addresses(text: str) -> str:
    for part in _split(text):
        parse_address(part)
    return text


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


AddressList = Annotated[str, NoDecode, AfterValidator(_check_addresses)]


class CoordinatorSettings(BaseSettings):
    """What one coordinator runs with."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    dev: bool = False
    """Allow what is unsafe where others can reach it: http, short windows, a data directory that others can read."""
    name: str = Field(default="Tallystick coordinator", min_length=1, max_length=100)
    data_dir: Path = Field(default_factory=lambda: user_data_path("tallystick", appauthor=False) / "coordinator")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8440, ge=0, le=65_535)
    public_url: str = ""
    worker: bool = True
    keystore: Path | None = None
    passphrase: SecretStr | None = None
    passphrase_file: Path | None = None
    keystore_work: int = Field(default=2**18, ge=2**10, le=2**22)

    deployment: Path | None = None
    rpc_url: str = "http://127.0.0.1:8545"
    public_rpc_url: str = ""

    confirmations: int = Field(default=1, ge=0)
    settlement_seconds: float = Field(default=1.0, gt=0, le=3_600)
    claims_per_day: int = Field(default=24, ge=0)

    tokens: AddressList = ""
    requesters: AddressList = ""
    auditors: AddressList = ""
    min_window_seconds: int = Field(default=SHORTEST_SAFE_WINDOW_SECONDS, ge=0)
    max_anchor_seconds: int = Field(default=30 * 86_400, ge=1)
    acceptance_seconds: int = Field(default=86_400, ge=1)
    max_unanchored_rounds: int = Field(default=6, ge=1)
    max_samples: int = Field(default=1_000_000, ge=1)
    presence_seconds: int = Field(default=60, ge=1)

    max_blob_bytes: int = Field(default=512 * _MEBIBYTE, ge=1)
    upload_quota_bytes: int = Field(default=2_048 * _MEBIBYTE, ge=1)
    telemetry_keep_seconds: int = Field(default=14 * 86_400, ge=0)
    telemetry_per_round: int = Field(default=16, ge=0)

    nonce_seconds: int = Field(default=300, ge=10)
    token_seconds: int = Field(default=86_400, ge=60)

    lease_seconds: int = Field(default=15, ge=2)
    compute_threads: int = Field(default=0, ge=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"

    @property
    def url(self) -> str:
        """Where clients reach this coordinator."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def database(self) -> str:
        """The database's URL; a file in the data directory unless another one is given."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'coordinator.sqlite').as_posix()}"

    @property
    def blobs_dir(self) -> Path:
        """The folder of files kept by content address."""
        return self.data_dir / "blobs"

    @property
    def keystore_path(self) -> Path:
        """The coordinator's encrypted key."""
        return self.keystore or self.data_dir / "coordinator.keystore.json"

    @property
    def allowed_tokens(self) -> frozenset[bytes]:
        """Further tokens that jobs may pay with, besides the deployment's own."""
        return frozenset(map(parse_address, _split(self.tokens)))

    @property
    def allowed_requesters(self) -> frozenset[bytes]:
        """Who may upload files and ask for jobs; empty means everyone who signs in."""
        return frozenset(map(parse_address, _split(self.requesters)))

    @property
    def allowed_auditors(self) -> frozenset[bytes]:
        """Who may read evidence kept for auditors; empty means everyone who signs in."""
        return frozenset(map(parse_address, _split(self.auditors)))


def load_settings(**options: Any) -> CoordinatorSettings:
    """Read the environment; options that are not None come first.

    Raises:
        SettingsRefused: a value is out of range; every such value is named.
    """
    try:
        return CoordinatorSettings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        problems = [f"{PREFIX}{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise SettingsRefused(problems) from None


def verify_safe(settings: CoordinatorSettings) -> None:
    """Refuse what others could abuse; with `dev` everything goes.

    Raises:
        SettingsRefused: with each unsafe setting and what to do about it.
    """
    if settings.dev:
        return
    problems = []
    public = urlsplit(settings.url)
    if public.scheme != "https" and public.hostname not in LOOPBACK:
        problems.append(f"{PREFIX}PUBLIC_URL: expected an https address, got {settings.url}: tokens travel over it")
    if settings.host not in LOOPBACK and not settings.public_url:
        problems.append(f"{PREFIX}PUBLIC_URL: expected the address clients use, since {settings.host} is no loopback")
    if settings.min_window_seconds < SHORTEST_SAFE_WINDOW_SECONDS:
        expected = f"at least {SHORTEST_SAFE_WINDOW_SECONDS} seconds"
        problems.append(f"{PREFIX}MIN_WINDOW_SECONDS: expected {expected}, got {settings.min_window_seconds}")
    if problems:
        raise SettingsRefused([*problems, "or start with --dev on a machine of your own"])
