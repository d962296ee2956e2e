"""Refusals over HTTP: a stable name, a sentence, and the operands beside them.

Raise a `RequestRefused` anywhere below a route; the handlers here turn it, malformed bytes, and bodies of the wrong
form into one and the same shape of answer.
"""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from coordinator.refusals import RequestRefused, show
from ledger.errors import Malformed, VerificationError

_log = structlog.get_logger()

_KNOWN = {
    404: ("UnknownPath", "there is nothing at this path: GET /openapi.json lists what there is"),
    405: ("WrongMethod", "this path takes other methods: GET /openapi.json lists them"),
}


class MalformedRequest(RequestRefused):
    """The body, path or query does not have the form that this route takes."""

    status = 422

    def __init__(self, problems: list[dict[str, str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem['field']}: {problem['problem']}" for problem in problems))


def install_handlers(app: FastAPI) -> None:
    """Answer every error of this service in the one shape."""
    app.add_exception_handler(RequestRefused, _answer_refusal)
    app.add_exception_handler(Malformed, _answer_malformed)
    app.add_exception_handler(VerificationError, _answer_verification)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_crash)


def answer_refusal(error: RequestRefused) -> JSONResponse:
    """The answer for a refusal."""
    return JSONResponse(error.to_json(), error.status, headers=dict(error.headers) if error.headers else None)


def answer_malformed(error: Malformed) -> JSONResponse:
    """The answer for bytes that the protocol does not allow."""
    operands = {"subject": error.subject, "expected": error.expected, "got": show(error.got)}
    return JSONResponse({"error": type(error).__name__, "detail": str(error), **operands}, 422)


async def _answer_refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestRefused)  # noqa: S101  Starlette calls this handler for nothing else
    return answer_refusal(error)


async def _answer_malformed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Malformed)  # noqa: S101  Starlette calls this handler for nothing else
    return answer_malformed(error)


async def _answer_verification(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, VerificationError)  # noqa: S101  Starlette calls this handler for nothing else
    operands = {"check": error.check, "expected": show(error.expected), "got": show(error.got)}
    return JSONResponse({"error": type(error).__name__, "detail": str(error), **operands}, 422)


async def _answer_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  Starlette calls this handler for nothing else
    problems = []
    for item in error.errors():
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, Malformed):
            return answer_malformed(cause)
        problems.append({"field": ".".join(map(str, item["loc"])), "problem": str(item["msg"])})
    return answer_refusal(MalformedRequest(problems))


async def _answer_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  Starlette calls this handler for nothing else
    name, detail = _KNOWN.get(error.status_code, ("HttpError", str(error.detail)))
    body = {"error": name, "detail": detail}
    return JSONResponse(body, error.status_code, headers=error.headers)


async def _answer_crash(request: Request, error: Exception) -> JSONResponse:
    _log.error("request_failed", path=request.url.path, method=request.method, exc_info=error)
    detail = "the coordinator failed at this request and has logged why: repeat it later"
    return JSONResponse({"error": "InternalError", "detail": detail}, 500)
