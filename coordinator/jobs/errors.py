"""Why a job or its files are refused."""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.refusals import RequestRefused
from ledger.hexadecimal import to_address


class UnknownJob(RequestRefused):
    """This coordinator knows no such job."""

    status = 404

    def __init__(self, job: bytes) -> None:
        self.job = job
        super().__init__(
            f"this coordinator knows no job 0x{job.hex()}: `tally job list` (GET /v1/jobs) shows those it knows"
        )


class ValidationPrivate(RequestRefused):
    """The job's validation set, and what tells of it, is for its holders until the job ends."""

    status = 403

    def __init__(self, job: bytes, holders: Sequence[bytes]) -> None:
        self.job = job
        self.holders = list(holders)
        named = ", ".join(map(to_address, holders)) or "nobody but the coordinator"
        super().__init__(
            f"the validation set of job 0x{job.hex()}, and what tells of it, is private until the job ends; "
            f"holders are {named}"
        )


class JobRefused(RequestRefused):
    """The coordinator will not run a job with such a spec, terms or files."""

    status = 422

    def __init__(self, field: str, expected: str, got: object) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(f"{field}: expected {expected}, got {_read(got)}: change it and ask again")


class BondUncovered(RequestRefused):
    """The coordinator has not as much free in the ledger as the terms lock as its bond."""

    status = 409

    def __init__(self, bond: int, free: int) -> None:
        self.bond = str(bond)
        self.free = str(free)
        super().__init__(
            f"terms.bond: this coordinator has {free} base units free in the ledger, the terms lock {bond}: ask for a "
            "smaller bond, or ask again when its operator has deposited more (`tally-coordinator deposit`)"
        )


class UnknownBlob(RequestRefused):
    """There is no such file here, or none that this visitor may fetch."""

    status = 404

    def __init__(self, sha256: bytes) -> None:
        self.sha256 = sha256
        super().__init__(f"there is no file {sha256.hex()} here that you may fetch: sign in, or check the address")


class UploadQuotaUsed(RequestRefused):
    """The address has uploaded as much as it may."""

    status = 413

    def __init__(self, quota_bytes: int, used_bytes: int) -> None:
        self.quota_bytes = quota_bytes
        self.used_bytes = used_bytes
        super().__init__(
            f"expected at most {quota_bytes} bytes uploaded by one address, got {used_bytes}: "
            "ask the coordinator's operator for more"
        )


def _read(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else repr(value)
