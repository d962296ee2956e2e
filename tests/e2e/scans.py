"""Files of the tests' jobs: scans of digits for nodes, a validation set and a hold-out, all different ones."""

import json
from collections.abc import Sequence
from pathlib import Path

from sklearn.datasets import load_digits

NODE_SCANS = 60
VALIDATION_SCANS = 300


def write_scans(folder: Path, nodes: int) -> tuple[Sequence[Path], Path, Path]:
    """Writes JSON records: one file a node, the validation set, the hold-out."""
    folder.mkdir(parents=True)
    scans = load_digits()
    records = [
        {"pixels": [int(pixel) for pixel in pixels], "label": int(label)}
        for pixels, label in zip(scans.data, scans.target, strict=True)
    ]
    bounds = [NODE_SCANS * number for number in range(nodes + 1)]
    parts = {f"node-{number}": records[bounds[number] : bounds[number + 1]] for number in range(nodes)}
    rest = records[bounds[-1] :]
    parts |= {"validation": rest[:VALIDATION_SCANS], "holdout": rest[VALIDATION_SCANS : 2 * VALIDATION_SCANS]}
    for name, part in parts.items():
        (folder / f"{name}.json").write_text(json.dumps(part), encoding="utf-8")
    files = [folder / f"node-{number}.json" for number in range(nodes)]
    return files, folder / "validation.json", folder / "holdout.json"
