"""The API's own description, without a chain, a key or a database behind it: for docs/openapi.json."""

from __future__ import annotations

from typing import Any

from coordinator.app import describe_app


def describe_api() -> dict[str, Any]:
    """OpenAPI of everything under /v1, and of health and readiness."""
    return describe_app().openapi()
