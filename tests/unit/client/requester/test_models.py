"""A downloaded model never takes the place of a file that holds something else."""

from pathlib import Path

import pytest

from client.requester.models import FileInTheWay, _verify_free


def test_other_file_is_in_the_way_and_the_same_bytes_are_not(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    _verify_free(path, b"model")
    path.write_bytes(b"model")
    _verify_free(path, b"model")
    with pytest.raises(FileInTheWay, match="holds something else: choose another name with --out"):
        _verify_free(path, b"another")
    assert path.read_bytes() == b"model"
