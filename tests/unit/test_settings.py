"""Settings: which layer wins, where a value came from, and files that are not trusted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.errors import InputError, UnknownNameError, UsageError
from recovery.model.credential import FromCommand, FromEnvironment, FromKeyFile, FromPrompt
from recovery.settings import Configuration, default_file, described, load

CASES = yaml.safe_load(
    (Path(__file__).parents[1] / "cases/settings/refused.yaml").read_text("utf-8")
)


@pytest.fixture
def file(home: Path) -> Path:
    """The settings file that is read by default, in a folder that is there."""
    path = home / ".config/recovery/settings.yaml"
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.usefixtures("home")
def test_without_a_file_the_defaults_hold() -> None:
    found = load(environ={})
    assert set(found.origins.values()) == {"default"}
    assert found.settings.ssh.accept_new is False
    assert found.settings.concurrency is None


def test_the_journal_stands_in_the_users_state(home: Path) -> None:
    assert load(environ={}).settings.journal == str(home / ".local/state/recovery/journal.db")
    assert load(environ={}).settings.ssh.pins == str(home / ".local/state/recovery/host-keys")


def test_each_layer_covers_the_one_below(file: Path) -> None:
    file.write_text(
        "# mine\njournal: from-file\nconcurrency: 7\nssh:\n  keepalive: 1m30s\n  accept_new: true\n"
    )
    environ = {
        "RECOVERY_CONCURRENCY": "8",
        "RECOVERY_SSH_ACCEPT_NEW": "no",
        "RECOVERY_SSH_LOOK_TIMEOUT": "250ms",
    }
    found = load(environ=environ, flags={"concurrency": 9, "journal": None})
    values = {name: (value, origin) for name, value, origin in described(found)}
    assert values["journal"] == ("from-file", f"{file}:2")
    assert values["concurrency"] == (9, "--concurrency")
    assert values["ssh.keepalive"] == (90.0, f"{file}:5")
    assert values["ssh.accept_new"] == (False, "RECOVERY_SSH_ACCEPT_NEW")
    assert values["ssh.look_timeout"] == (0.25, "RECOVERY_SSH_LOOK_TIMEOUT")
    assert values["ssh.gateway_rate"] == (10.0, "default")


def test_what_the_file_repeats_of_the_defaults_is_the_files(file: Path) -> None:
    file.write_text("ssh: {accept_new: false}\n")
    assert load(environ={}).origins["ssh.accept_new"] == f"{file}:1"


def test_lists_in_the_environment_are_separated_like_path() -> None:
    found = load(environ={"RECOVERY_SSH_KNOWN_HOSTS": "/a:/b", "RECOVERY_INVENTORY": "fleet.yaml"})
    assert found.settings.ssh.known_hosts == ("/a", "/b")
    assert found.settings.inventory == ("fleet.yaml",)


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_switches_in_the_environment(value: str) -> None:
    assert load(environ={"RECOVERY_SSH_ACCEPT_NEW": value}).settings.ssh.accept_new is True


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"RECOVERY_CONCURRENCY": "many"}, "RECOVERY_CONCURRENCY='many'"),
        ({"RECOVERY_CONCURRENCY": "0"}, ">= 1"),
        ({"RECOVERY_SSH_ACCEPT_NEW": "maybe"}, "expected one of 1, true"),
        ({"RECOVERY_SSH_KEEPALIVE": "0s"}, "> 0"),
        ({"RECOVERY_SSH_KEEPALIVE": "soon"}, "like 90s"),
    ],
)
def test_a_wrong_variable_is_named(environ: Mapping[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(environ=environ)


def test_an_empty_variable_is_not_set() -> None:
    assert load(environ={"RECOVERY_CONCURRENCY": ""}).settings.concurrency is None


@pytest.mark.parametrize(
    ("flags", "says"),
    [({"concurrency": 0}, "--concurrency 0: .* >= 1"), ({"ssh.keepalive": "x"}, "--keepalive x")],
)
def test_a_wrong_flag_is_named(flags: Mapping[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(environ={}, flags=flags)


def test_an_unknown_flag_is_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'journal'"):
        load(environ={}, flags={"jornal": "x"})


def test_credentials_say_where_their_secret_is(file: Path) -> None:
    file.write_text(
        "credentials:\n"
        "  ad-admin: {provider: env, user: CORP\\admin, variable: AD_PASSWORD}\n"
        "  vault:\n"
        "    provider: command\n"
        "    argv: [vault, read, -field=password, secret/ad]\n"
        "  key: {provider: key_file, user: root, path: ~/.ssh/id_ed25519, passphrase: {provider: prompt}}\n"
    )
    found = load(environ={})
    assert found.settings.credentials == {
        "ad-admin": FromEnvironment(user="CORP\\admin", variable="AD_PASSWORD"),
        "vault": FromCommand(argv=("vault", "read", "-field=password", "secret/ad")),
        "key": FromKeyFile(user="root", path="~/.ssh/id_ed25519", passphrase=FromPrompt()),
    }
    assert found.origins["credentials.vault"] == f"{file}:3"


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["file"]))
def test_a_wrong_file_says_where_and_what(case: dict[str, Any], file: Path) -> None:
    file.write_text(case["file"])
    with pytest.raises(InputError) as caught:
        load(environ={})
    for part in case["says"]:
        assert part.replace("FILE", str(file)) in str(caught.value)
    assert case.get("keeps_quiet_about", "\0") not in str(caught.value)


def test_an_empty_file_says_nothing(file: Path) -> None:
    file.write_text("# nothing yet\n")
    assert set(load(environ={}).origins.values()) == {"default"}


def test_the_environment_names_the_file_and_the_flag_names_another(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"incident: {name}\n")
    environ = {"RECOVERY_CONFIG": str(tmp_path / "one")}
    assert load(environ=environ).settings.incident == "one"
    assert load(str(tmp_path / "two"), environ=environ).settings.incident == "two"


def test_a_file_that_was_asked_for_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: cannot be read: No such file"):
        load(str(tmp_path / "nowhere.yaml"), environ={})


@pytest.mark.usefixtures("home")
def test_the_process_has_an_environment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOVERY_INCIDENT", "bad-kernel")
    assert load().settings.incident == "bad-kernel"


# --- files that somebody else may have written ---


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(str(path), environ={})
    return str(caught.value)


def test_a_file_that_everybody_may_write_is_refused(file: Path) -> None:
    file.write_text("incident: x\n")
    file.chmod(0o646)
    assert "everybody may write it" in refusal(file)


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_folder_that_everybody_may_write_in_is_refused(mode: int, file: Path) -> None:
    file.write_text("incident: x\n")
    file.parent.chmod(mode)
    assert f"everybody may write in {file.parent}" in refusal(file)


def test_a_link_does_not_hide_where_the_file_is(file: Path, tmp_path: Path) -> None:
    file.write_text("incident: x\n")
    file.parent.chmod(0o777)
    link = tmp_path / "settings.yaml"
    link.symlink_to(file)
    assert "everybody may write in" in refusal(link)


def test_another_users_file_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("incident: x\n")
    if os.geteuid() == 0:
        os.chown(file, 65534, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 65534)
    assert "belongs to another user" in refusal(file)


def test_a_pipe_does_not_hold_the_program(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "settings.yaml", 0o600)
    assert "not a file" in refusal(tmp_path / "settings.yaml")


def test_what_is_no_text_or_too_much_of_it_is_refused(file: Path) -> None:
    file.write_bytes(b"incident: \xff\xfe\n")
    assert "not UTF-8" in refusal(file)
    file.write_bytes(b"#" * 1_000_001)
    assert "larger than" in refusal(file)


def test_settings_cannot_be_changed() -> None:
    found = load(environ={})
    assert isinstance(found, Configuration)
    with pytest.raises(AttributeError):
        found.settings.journal = "other"  # type: ignore[misc]
    assert msgspec.structs.replace(found.settings, journal="other").journal == "other"


def test_the_default_file_is_in_the_users_configuration(home: Path) -> None:
    assert default_file() == home / ".config/recovery/settings.yaml"
