"""What a figure is worth nothing without: the machine, the versions, the time."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

OURS = ("numpy", "torch", "coincurve", "tiny-keccak", "fastapi", "sqlalchemy", "web3")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, system, load at the start, versions and the UTC time; JSON values."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processor": _name_processor(),
            "cores": os.cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
            "system": f"{platform.system()} {platform.machine()}",
            "load": round(psutil.getloadavg()[0], 1),
        },
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in OURS}},
    }


def _name_processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
