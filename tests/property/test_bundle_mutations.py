"""No byte of no file of a bundle can be changed unseen: the audit never ends with zero, and nothing crashes."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.auditor import Sources, audit
from client.auditor.evidence.archive import MalformedBundle, write_archive
from client.auditor.evidence.bundle import CHAIN, Bundle, BundleEvidence, name_blob
from client.auditor.evidence.proven import BundleChain
from tests.conformance.chain import CODE_HASH
from tests.conformance.draft import Files
from tests.conformance.good import draw_keys, load_good, open_draft

NAMES = sorted(load_good())
HASH = bytes.fromhex(json.loads(load_good()[CHAIN])["blockHash"][2:])


def audit_files(path: Path, files: Files) -> int:
    """The exit code of an offline audit; 3 for what is no bundle."""
    with path.open("wb") as target:
        write_archive(target, sorted(files.items()))
    setting, _ = draw_keys()
    try:
        with Bundle(path) as bundle:
            chain = BundleChain(bundle, setting.domain, HASH, CODE_HASH)
            return audit(bundle.index.job, Sources(BundleEvidence(bundle), chain, CODE_HASH)).exit_code
    except MalformedBundle as error:
        return error.exit_code


def is_for_show(name: str, content: bytes) -> bool:
    """Whether a changed file differs in nothing but what only shows amounts and places."""
    if name != CHAIN:
        return False
    good, changed = (_read_said(each) for each in (load_good()[CHAIN], content))
    return changed is not None and good == changed


def _read_said(content: bytes) -> Any:
    try:
        said = json.loads(content)
        return {**said, "token": None, "rounds": [round_["finalAt"] for round_ in said["rounds"]]}
    except (ValueError, TypeError, KeyError):
        return None


@settings(max_examples=40)
@given(name=st.sampled_from(NAMES), at=st.integers(0, 1 << 20), bits=st.integers(1, 255))
def test_any_flipped_byte_of_any_file_never_passes(
    tmp_path_factory: pytest.TempPathFactory, name: str, at: int, bits: int
) -> None:
    """Whatever byte of whatever file is changed: false or unknown, never right."""
    content = bytearray(load_good()[name])
    content[at % len(content)] ^= bits
    path = tmp_path_factory.mktemp("flip") / "bundle.zip"
    code = audit_files(path, {**load_good(), name: bytes(content)})
    assert code in (1, 3) or is_for_show(name, bytes(content))


@settings(max_examples=20)
@given(name=st.sampled_from(NAMES), content=st.binary(max_size=200))
def test_any_file_replaced_by_noise_never_passes(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    """Noise is never right, and never stops the audit otherwise than by its name."""
    path = tmp_path_factory.mktemp("noise") / "bundle.zip"
    assert audit_files(path, {**load_good(), name: content}) in (1, 3)


@pytest.mark.parametrize("name", NAMES)
def test_any_file_left_out_never_passes(tmp_path: Path, name: str) -> None:
    """Only the models that rounds end with are not needed: their bytes follow from the rest."""
    files = {other: content for other, content in load_good().items() if other != name}
    head = open_draft().head
    follows = name in (name_blob(head.base_model), name_blob(head.next_model))
    assert audit_files(tmp_path / "bundle.zip", files) in ((0,) if follows else (1, 3))
