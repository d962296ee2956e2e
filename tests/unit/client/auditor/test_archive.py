"""The archive of a bundle has one form: equal files are equal bytes, and every other zip is refused, never read."""

import io
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.auditor.evidence.archive import (
    MAX_RATIO,
    Archive,
    BundleTooLarge,
    MalformedBundle,
    walk_folder,
    write_archive,
)

FILES = {"a/b.bin": bytes(range(256)) * 4, "blobs/00": b"", "zeros": bytes(300)}


def pack(files: Mapping[str, bytes], *, deflate: bool = False) -> bytes:
    target = io.BytesIO()
    write_archive(target, sorted(files.items()), deflate=deflate)
    return target.getvalue()


def save(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "bundle.zip"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("deflate", [False, True])
def test_files_come_back_as_they_were(tmp_path: Path, deflate: bool) -> None:
    with Archive(save(tmp_path, pack(FILES, deflate=deflate))) as archive:
        assert archive.names == sorted(FILES)
        assert {name: archive.read(name) for name in archive.names} == FILES
        assert archive.read("another") is None
        assert archive.measure("zeros") == 300


@pytest.mark.parametrize("deflate", [False, True])
def test_other_programs_read_it_too(deflate: bool) -> None:
    with zipfile.ZipFile(io.BytesIO(pack(FILES, deflate=deflate))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES


def test_empty_archive_is_read(tmp_path: Path) -> None:
    with Archive(save(tmp_path, pack({}))) as archive:
        assert archive.names == []


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    files = {f"blobs/{number:03d}": Random(number).randbytes(5_000) for number in range(200)}
    with Archive(save(tmp_path, pack(files))) as archive, ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert dict(zip(archive.names, pool.map(archive.read, archive.names), strict=True)) == files


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\\b", "A", "ä", "a b", ".a", "-a"])
def test_name_that_leads_elsewhere_is_never_written(name: str) -> None:
    with pytest.raises(ValueError, match="plain name"):
        write_archive(io.BytesIO(), [(name, b"")])


def test_names_are_written_in_order_and_once() -> None:
    for names in (("b", "a"), ("a", "a")):
        with pytest.raises(ValueError, match="after"):
            write_archive(io.BytesIO(), [(name, b"") for name in names])


def test_more_files_than_the_form_holds_is_told() -> None:
    with pytest.raises(BundleTooLarge, match="at most 65534 files"):
        write_archive(io.BytesIO(), ((f"{number:06d}", b"") for number in range(65_535)))


def test_zip_of_another_program_is_refused(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("bundle.json", b"{}")
    with pytest.raises(MalformedBundle, match="no plain file"):
        Archive(save(tmp_path, target.getvalue()))


def test_file_and_folder_of_one_name_are_refused(tmp_path: Path) -> None:
    content = pack({"aa": b"1", "aa-b": b"2", "ab/c": b"3"}).replace(b"ab/c", b"aa/c")
    with pytest.raises(MalformedBundle, match="no file a folder"):
        Archive(save(tmp_path, content))


def test_file_that_grows_too_much_is_refused(tmp_path: Path) -> None:
    files = {"zeros": bytes(1_000_000)}
    assert len(pack(files, deflate=True)) > 1_000_000, "our own writer stores it"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo("zeros", (1980, 1, 1, 0, 0, 0))
        info.external_attr, info.create_system, info.compress_type = 0o100644 << 16, 3, zipfile.ZIP_DEFLATED
        archive.writestr(info, files["zeros"])
    with pytest.raises(MalformedBundle, match=f"more than {MAX_RATIO} times"):
        Archive(save(tmp_path, target.getvalue()))


def test_deflated_bytes_that_go_on_or_stop_short_are_refused(tmp_path: Path) -> None:
    content = pack({"text": b"the same again, " * 30}, deflate=True)
    at = content.index(b"text") + 4
    for changed in (bytes([content[at] ^ 6]), b"\0"):
        path = save(tmp_path, content[:at] + changed + content[at + 1 :])
        with Archive(path) as archive, pytest.raises(MalformedBundle):
            archive.read("text")


def test_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Archive(tmp_path / "none.zip")


@given(at=st.integers(0, 1 << 20), bits=st.integers(1, 255), deflate=st.booleans())
def test_any_flipped_byte_is_refused_or_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, at: int, bits: int, deflate: bool
) -> None:
    """No byte of an archive can be changed unseen, and nothing but MalformedBundle is raised."""
    content = bytearray(pack(FILES, deflate=deflate))
    content[at % len(content)] ^= bits
    path = save(tmp_path_factory.mktemp("flip"), bytes(content))
    with pytest.raises(MalformedBundle):
        read_all(path)


def read_all(path: Path) -> None:
    with Archive(path) as archive:
        for name in archive.names:
            archive.read(name)


@given(content=st.binary(max_size=300), cut=st.integers(0, 400))
def test_noise_and_pieces_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, cut: int) -> None:
    whole = pack(FILES)
    for broken in (content, whole[: -1 - cut], whole[1 + cut :], whole + content[:1] + b"!", content + whole + b"!"):
        with pytest.raises(MalformedBundle):
            Archive(save(tmp_path_factory.mktemp("noise"), broken))


def test_folder_is_walked_in_the_order_of_names(tmp_path: Path) -> None:
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert list(walk_folder(tmp_path)) == sorted(FILES.items())
