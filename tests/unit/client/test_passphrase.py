"""Where a passphrase comes from, in which order, and what is refused."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from client.passphrase import PassphraseMissing, PassphraseRefused, read_passphrase
from client.settings import ClientSettings


def test_file_comes_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "named").write_text("from the option\nsecond line\n")
    (tmp_path / "set").write_text("from the setting\n")
    settings = ClientSettings(passphrase=SecretStr("from the variable"), passphrase_file=tmp_path / "set")
    assert read_passphrase(settings, tmp_path / "named", new=False) == "from the option"
    assert read_passphrase(settings, None, new=False) == "from the setting"


def test_variable_is_taken_without_a_file() -> None:
    assert read_passphrase(ClientSettings(passphrase=SecretStr("secret")), None, new=True) == "secret"


def test_nobody_to_ask_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(PassphraseMissing, match="TALLY_PASSPHRASE_FILE"):
            read_passphrase(ClientSettings(), None, new=False)


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_unusable_file_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "passphrase"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PassphraseRefused, match=str(path)):
        read_passphrase(ClientSettings(), path, new=False)
