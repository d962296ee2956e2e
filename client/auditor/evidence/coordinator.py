"""Evidence as the coordinator serves it over HTTP: every answer is read up to a limit, nothing of it is believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count

from client import calls
from client.api import Api
from client.call import Answer, Call
from client.errors import CoordinatorRefused, TransportOverflow
from client.identity import Identity
from ledger import canonical, evidence
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import to_address, to_hex
from ledger.verify.bundle import JobFiles

MANIFEST_LIMIT_BYTES = 64 << 10
FILE_LIMIT_BYTES = 256 << 20
_NOT_GIVEN = frozenset({401, 403, 404, 409, 410})


class CoordinatorEvidence:
    """An `EvidenceSource` over a coordinator's API.

    Args:
        api: the coordinator.
        identity: signs in where evidence is not public; None for asking as nobody.
    """

    def __init__(self, api: Api, identity: Identity | None) -> None:
        self._api, self._identity = api, identity
        self._signs_in = False

    def fetch_job(self, job: bytes) -> JobFiles:
        """Spec and terms as their routes give them, and the acceptance out of the job's description."""
        path = f"/v1/jobs/{to_hex(job)}"
        view = self._fetch(path, calls.LIST_LIMIT_BYTES) or b""
        return JobFiles(
            self._fetch(f"{path}/spec", calls.SPEC_LIMIT_BYTES),
            self._fetch(f"{path}/terms", calls.SPEC_LIMIT_BYTES),
            _take(view, "acceptance"),
        )

    def count_rounds(self, job: bytes) -> int:
        """How many rounds are sealed, or further, by the coordinator's list."""
        content = self._fetch(f"/v1/jobs/{to_hex(job)}/rounds", calls.LIST_LIMIT_BYTES) or b"[]"
        return count_sealed(content)

    def fetch_round(self, job: bytes, number: int) -> Mapping[str, bytes]:
        """Header, manifest, and every file that the manifest lists or a round must have, up to the size listed."""
        path = f"/v1/rounds/{to_hex(job)}/{number}/evidence/"
        outside = (evidence.HEADER, evidence.MANIFEST)
        files = {name: self._fetch(path + name, MANIFEST_LIMIT_BYTES) for name in outside}
        sizes = _read_sizes(files[evidence.MANIFEST])
        for name in sizes:
            files[name] = self._fetch(path + name, sizes[name])
        return {name: content for name, content in files.items() if content is not None}

    def fetch_file(self, job: bytes, number: int, name: str) -> bytes | None:
        """One file of a round by its name."""
        limit_bytes = MANIFEST_LIMIT_BYTES if name in evidence.OUTSIDE else FILE_LIMIT_BYTES
        return self._fetch(f"/v1/rounds/{to_hex(job)}/{number}/evidence/{name}", limit_bytes)

    def fetch_entry(self, job: bytes, number: int, node: bytes) -> bytes | None:
        """What the node is handed to claim with."""
        path = f"/v1/rounds/{to_hex(job)}/{number}/entries/{to_address(node)}"
        return self._fetch(path, calls.SPEC_LIMIT_BYTES)

    def fetch_blob(self, digest: bytes, limit_bytes: int) -> bytes | None:
        """A file by its SHA-256, unchecked: whoever uses it compares."""
        return self._fetch(f"/v1/blobs/{digest.hex()}", limit_bytes)

    def _fetch(self, path: str, limit_bytes: int) -> bytes | None:
        call: Call[bytes] = Call("GET", path, _read_content, limit_bytes=limit_bytes)
        try:
            return self._ask(call)
        except TransportOverflow:
            # Longer than the manifest lists or than any such file: nobody reads on to find out what it is.
            return None
        except CoordinatorRefused as error:
            if error.status not in _NOT_GIVEN:
                raise
            return None

    def _ask(self, call: Call[bytes]) -> bytes:
        """Asks as nobody until the coordinator wants to know who asks."""
        if self._identity is None or not self._signs_in:
            try:
                return self._api.fetch(call)
            except CoordinatorRefused as error:
                # Files that are not for everyone are not there for strangers: 404 may mean that too.
                if self._identity is None or error.status not in (401, 403, 404):
                    raise
                try:
                    self._identity.sign_in()
                except VerificationError:
                    if error.status != 404:
                        raise
                    # Most likely it is not there, and not worth an audit.
                    raise error from None
                self._signs_in = True
        return self._identity.fetch(call)


def _read_content(answer: Answer) -> bytes:
    return answer.content


def count_sealed(content: bytes) -> int:
    """How many rounds have a header by a coordinator's list, from the first on; 0 where it is no such list."""
    try:
        sealed = {item["round"] for item in json.loads(content) if isinstance(item["header"], str)}
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0
    return next(number for number in count() if number + 1 not in sealed)


def _take(content: bytes, member: str) -> bytes | None:
    """The bytes of one member of a JSON object, None where there is none."""
    try:
        return canonical.encode(json.loads(content)[member])
    except (ValueError, KeyError, TypeError, RecursionError, Malformed):
        return None


def _read_sizes(manifest: bytes | None) -> dict[str, int]:
    sizes = dict.fromkeys(evidence.ALWAYS, FILE_LIMIT_BYTES)
    if manifest is None:
        return sizes
    try:
        listed = evidence.Manifest.from_bytes(manifest).files
    except Malformed:
        return sizes
    return sizes | {name: min(size, FILE_LIMIT_BYTES) for name, (_, size) in listed.items()}
