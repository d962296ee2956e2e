"""The worker's lease in the database: one holder at a time, renewed while it lives, free once its process is gone."""

from __future__ import annotations

import os
import platform

import psutil
from sqlmodel import Session

from coordinator.running.tables import LeaseRow

_WORKER = "worker"


def name_holder(token: str) -> str:
    """Who we are: machine, process, when it began, and a token of this worker."""
    process = psutil.Process()
    return f"{platform.node()}/{process.pid}/{process.create_time():.2f}/{token}"


def acquire(session: Session, holder: str, now: int, lease_seconds: int) -> bool:
    """Take or renew the lease within the caller's transaction; False while another worker holds it."""
    row = session.get(LeaseRow, _WORKER, with_for_update=True)
    if row is None:
        row = LeaseRow(name=_WORKER, holder=holder, expires_at=0)
    elif row.holder != holder and row.expires_at > now and not is_gone(row.holder):
        return False
    row.holder, row.expires_at = holder, now + lease_seconds
    session.add(row)
    return True


def release(session: Session, holder: str) -> None:
    """Give the lease back, if it is ours."""
    row = session.get(LeaseRow, _WORKER, with_for_update=True)
    if row is not None and row.holder == holder:
        session.delete(row)


def is_gone(holder: str) -> bool:
    """Whether a holder is a process of this machine that has ended: a killed worker's lease need not run out."""
    machine, pid, began, _ = holder.rsplit("/", 3)
    if machine != platform.node() or int(pid) == os.getpid():
        return False
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != began
    except psutil.NoSuchProcess:
        return True
