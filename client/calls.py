"""Every request of the HTTP API, version 1, as data: what is asked, how large an answer may be, what it becomes.

`Api.fetch` and `AsyncApi.fetch` in `client/api.py` send them. More names than a module of ours usually has: like
`ledger/wire.py`, this is the one list, in the order of the API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter

from client.call import Answer, Call
from ledger import wire
from ledger.entry import Entry
from ledger.errors import VerificationError
from ledger.evidence import decode_entries
from ledger.hashing import sha256
from ledger.hexadecimal import to_address, to_hex
from ledger.spec import JobSpec
from ledger.wire_types import Message, SignedReceipt

T = TypeVar("T")

LIST_LIMIT_BYTES = 64 << 20
BLOB_LIMIT_BYTES = 1 << 30
SPEC_LIMIT_BYTES = 1 << 20


JSON = {"Content-Type": "application/json"}
BYTES = {"Content-Type": "application/octet-stream"}

_assignment: TypeAdapter[wire.CommitAssignment | wire.RevealAssignment] = TypeAdapter(wire.Assignment)
_nodes = TypeAdapter(list[wire.NodeView])
_jobs = TypeAdapter(list[wire.JobView])
_rounds = TypeAdapter(list[wire.RoundView])
_work = TypeAdapter(list[wire.NodeWork])
_logs = TypeAdapter(list[wire.LogLine])
_models = TypeAdapter(list[wire.ModelView])
_receipt: TypeAdapter[SignedReceipt] = TypeAdapter(SignedReceipt)


def _get(path: str, adapter: TypeAdapter[T], **params: str) -> Call[T]:
    return Call("GET", path, lambda answer: adapter.validate_json(answer.content), params, limit_bytes=LIST_LIMIT_BYTES)


def _read(path: str, message: type[Message], **params: str) -> Call[Any]:
    return Call("GET", path, lambda answer: message.model_validate_json(answer.content), params)


def _post(path: str, body: Message, message: type[Message], *, repeatable: bool = True) -> Call[Any]:
    content = body.model_dump_json(by_alias=True).encode()
    return Call(
        "POST",
        path,
        lambda answer: message.model_validate_json(answer.content),
        body=content,
        headers=JSON,
        repeatable=repeatable,
    )


# Who the coordinator is, and who we are


def info() -> Call[wire.Info]:
    """Chain, contracts, token and coordinator."""
    return _read("/v1/info", wire.Info)


def ask_nonce(address: bytes) -> Call[wire.Nonce]:
    """A sign-in text for an address."""
    return _post("/v1/auth/nonce", wire.NonceRequest(address=address), wire.Nonce)


def log_in(login: wire.Login) -> Call[wire.Session]:
    """A bearer token for a signed text; a text works once."""
    return _post("/v1/auth/login", login, wire.Session, repeatable=False)


# Nodes


def register(registration: wire.NodeRegistration) -> Call[wire.NodeView]:
    """Has a node registered on chain, at the coordinator's cost; pending until its transaction is in."""
    return _post("/v1/nodes", registration, wire.NodeView)


def nodes() -> Call[list[wire.NodeView]]:
    """All nodes."""
    return _get("/v1/nodes", _nodes)


def node(address: bytes) -> Call[wire.NodeView]:
    """One node."""
    return _read(f"/v1/nodes/{to_address(address)}", wire.NodeView)


def history(address: bytes, job_id: bytes) -> Call[wire.NodeHistory]:
    """What became of a node's contributions to a job."""
    return _read(f"/v1/nodes/{to_address(address)}/history", wire.NodeHistory, job=to_hex(job_id))


def earnings(address: bytes) -> Call[wire.Earnings]:
    """What a node has earned, by job."""
    return _read(f"/v1/nodes/{to_address(address)}/earnings", wire.Earnings)


def send_telemetry(address: bytes, report: wire.TelemetryReport) -> Call[None]:
    """What phases of a node's work took; lost without harm."""
    body = report.model_dump_json(by_alias=True).encode()
    path = f"/v1/nodes/{to_address(address)}/telemetry"
    return Call("POST", path, lambda _: None, body=body, headers=JSON, repeatable=False)


# Blobs: files by SHA-256


def blob(digest: bytes, limit_bytes: int = BLOB_LIMIT_BYTES) -> Call[bytes]:
    """A file by its SHA-256, checked."""
    return Call("GET", f"/v1/blobs/{digest.hex()}", _check_blob(digest), limit_bytes=limit_bytes)


def send_blob(content: bytes) -> Call[None]:
    """Uploads a file under its SHA-256."""
    path = f"/v1/blobs/{sha256(content).hex()}"
    # Disks and lines are slow: the answer may take as long as a megabyte a second needs.
    return Call("PUT", path, lambda _: None, body=content, headers=BYTES, wait_seconds=len(content) / 1e6)


def _check_blob(digest: bytes) -> Callable[[Answer], bytes]:
    def decode(answer: Answer) -> bytes:
        got = sha256(answer.content)
        if got != digest:
            raise VerificationError("blob-digest", "the file is not the one that was asked for", digest, got)
        return answer.content

    return decode


# Jobs


def send_job(request: wire.JobRequest) -> Call[wire.JobAcceptance]:
    """Asks the coordinator to accept a job; nothing is paid yet."""
    return _post("/v1/jobs", request, wire.JobAcceptance)


def jobs() -> Call[list[wire.JobView]]:
    """All jobs."""
    return _get("/v1/jobs", _jobs)


def job(job_id: bytes) -> Call[wire.JobView]:
    """One job with its terms and acceptance."""
    return _read(f"/v1/jobs/{to_hex(job_id)}", wire.JobView)


def spec(job_id: bytes) -> Call[JobSpec]:
    """A job's spec; whoever relies on it compares its digest with the terms."""
    path = f"/v1/jobs/{to_hex(job_id)}/spec"
    return Call("GET", path, lambda answer: JobSpec.from_bytes(answer.content), limit_bytes=SPEC_LIMIT_BYTES)


def rounds(job_id: bytes) -> Call[list[wire.RoundView]]:
    """A job's rounds, oldest first."""
    return _get(f"/v1/jobs/{to_hex(job_id)}/rounds", _rounds)


def job_nodes(job_id: bytes) -> Call[list[wire.NodeWork]]:
    """What each node did and earned in a job."""
    return _get(f"/v1/jobs/{to_hex(job_id)}/nodes", _work)


def job_logs(job_id: bytes) -> Call[list[wire.LogLine]]:
    """A job's log."""
    return _get(f"/v1/jobs/{to_hex(job_id)}/logs", _logs)


# A node's work


def assignment(wait_seconds: int) -> Call[wire.CommitAssignment | wire.RevealAssignment | None]:
    """The next thing to do, or None when nothing came up within `wait_seconds`."""
    return Call(
        "GET",
        "/v1/assignments",
        lambda answer: None if answer.status == 204 else _assignment.validate_json(answer.content),
        {"wait": str(wait_seconds)},
        limit_bytes=LIST_LIMIT_BYTES,
        wait_seconds=wait_seconds,
    )


def send_contribution(body: bytes) -> Call[SignedReceipt]:
    """Sends a journaled ContributionRequest, always the same bytes; the answer is the receipt."""
    return Call(
        "POST", "/v1/contributions", lambda answer: _receipt.validate_json(answer.content), body=body, headers=JSON
    )


def send_payload(
    contribution: bytes, payload: bytes, salt: bytes, vector_commitment: bytes
) -> Call[wire.ContributionView]:
    """Opens a commitment."""
    return Call(
        "PUT",
        f"/v1/contributions/{to_hex(contribution)}/payload",
        lambda answer: wire.ContributionView.model_validate_json(answer.content),
        body=payload,
        headers=BYTES | {"Tallystick-Salt": to_hex(salt), "Tallystick-Vector-Commitment": to_hex(vector_commitment)},
        wait_seconds=len(payload) / 1e6,
    )


# Rounds


def _round(job_id: bytes, number: int, rest: str = "") -> str:
    return f"/v1/rounds/{to_hex(job_id)}/{number}{rest}"


def round_view(job_id: bytes, number: int) -> Call[wire.RoundView]:
    """One round."""
    return _read(_round(job_id, number), wire.RoundView)


def closing(job_id: bytes, number: int) -> Call[wire.ClosingView]:
    """A round's closing with the contributions it fixes."""
    path = _round(job_id, number, "/closing")
    decode = wire.ClosingView.model_validate_json
    return Call("GET", path, lambda answer: decode(answer.content), limit_bytes=LIST_LIMIT_BYTES)


def header(job_id: bytes, number: int) -> Call[wire.HeaderView]:
    """A round's signed header and, once posted, its anchor."""
    return _read(_round(job_id, number, "/header"), wire.HeaderView)


def entries(job_id: bytes, number: int) -> Call[list[Entry]]:
    """All entries of a round, in order of seq."""
    path = _round(job_id, number, "/entries")
    return Call("GET", path, lambda answer: decode_entries(answer.content), limit_bytes=LIST_LIMIT_BYTES)


def entry(job_id: bytes, number: int, node_address: bytes) -> Call[wire.EntryView]:
    """A node's entry with proof, header and anchor."""
    return _read(_round(job_id, number, f"/entries/{to_address(node_address)}"), wire.EntryView)


def evidence(job_id: bytes, number: int, name: str, limit_bytes: int = BLOB_LIMIT_BYTES) -> Call[bytes]:
    """A file of a round's evidence; whoever relies on it compares its digest with the manifest."""
    path = _round(job_id, number, f"/evidence/{name}")
    return Call("GET", path, lambda answer: answer.content, limit_bytes=limit_bytes)


def explanation(job_id: bytes, number: int, node_address: bytes) -> Call[wire.Explanation]:
    """Why a node was paid what it was, in the coordinator's words."""
    return _read(f"/v1/explain/{to_hex(job_id)}/{number}/{to_address(node_address)}", wire.Explanation)


# Claims and models


def send_claim(request: wire.ClaimRequest) -> Call[wire.ClaimView]:
    """Asks the coordinator to send a claim at its cost."""
    return _post("/v1/claims", request, wire.ClaimView)


def claim(number: int) -> Call[wire.ClaimView]:
    """A relayed claim as it stands."""
    return _read(f"/v1/claims/{number}", wire.ClaimView)


def models() -> Call[list[wire.ModelView]]:
    """All models."""
    return _get("/v1/models", _models)


def model(digest: bytes) -> Call[wire.ModelView]:
    """One model with its card."""
    return _read(f"/v1/models/{digest.hex()}", wire.ModelView)
