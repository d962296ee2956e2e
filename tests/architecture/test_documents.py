"""Generated documents equal what the programs say; every setting is documented."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from tests.architecture.documents import DOCUMENTS
from tests.architecture.sources import PACKAGES, ROOT

DEPLOYMENT = ROOT / "docs" / "deployment.md"
VARIABLE = re.compile(r"\bTALLY_[A-Z][A-Z0-9_]*[A-Z0-9]\b")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_document_is_as_generated(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == DOCUMENTS[path](), f"run `make fix` and commit {path.name}"


def find_settings() -> Iterator[type[BaseSettings]]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if "settings" in module.name.rpartition(".")[2]:
                importlib.import_module(module.name)
    return (cls for cls in BaseSettings.__subclasses__() if cls.__module__.split(".")[0] in PACKAGES)


def name_variables(cls: type[BaseSettings]) -> set[str]:
    prefix = cls.model_config.get("env_prefix", "")
    return {(field.alias or f"{prefix}{name}").upper() for name, field in cls.model_fields.items()}


def test_every_setting_is_documented() -> None:
    documented = set(VARIABLE.findall(DEPLOYMENT.read_text(encoding="utf-8")))
    settings = list(find_settings())
    assert settings
    missing = {name for cls in settings for name in name_variables(cls)} - documented
    assert not missing


def test_every_documented_setting_exists() -> None:
    known = {name for cls in find_settings() for name in name_variables(cls)}
    sources = "\n".join(
        path.read_text(encoding="utf-8") for package in PACKAGES for path in (ROOT / package).rglob("*.py")
    )
    for name in VARIABLE.findall(DEPLOYMENT.read_text(encoding="utf-8")):
        assert name in known or f'"{name}"' in sources, f"{name} is documented and read nowhere"


def test_settings_are_frozen_and_prefixed() -> None:
    for cls in find_settings():
        assert cls.model_config.get("frozen") is True, cls
        assert cls.model_config.get("env_prefix", "").startswith("TALLY_"), cls
