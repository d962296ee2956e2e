"""Structured log lines on stderr: one line per change of state, for people on a terminal and for machines elsewhere."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Sets up structlog; lines are JSON when stderr is no terminal."""
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(pad_event_to=28)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(sort_keys=True)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_create_stderr_logger,
        cache_logger_on_first_use=False,
    )


def _create_stderr_logger(*_: object) -> structlog.WriteLogger:
    # Looked up at each use: a live progress display puts its own stderr in front of the real one.
    return structlog.WriteLogger(sys.stderr)
