"""Where secrets come from, and what is refused; no error ever holds a secret."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest

from recovery.credentials import CredentialStore
from recovery.credentials.sources import ask_on_terminal
from recovery.errors import UsageError
from recovery.model.credential import (
    CredentialDefinition,
    FromAgent,
    FromCommand,
    FromEnvironment,
    FromFile,
    FromKeyFile,
    FromKeyring,
    FromPrompt,
)
from recovery.ports import Credential
from recovery.redact import MASK, scrub

PLANTED = "pl4nted-s3cret"


async def fetch(definition: CredentialDefinition, **sources: object) -> Credential:
    store = CredentialStore({"it": definition}, **sources)  # type: ignore[arg-type]
    await store.prepare(["it"])
    return await store.get("it")


async def refusal(definition: CredentialDefinition, **sources: object) -> str:
    with pytest.raises(UsageError) as caught:
        await fetch(definition, **sources)
    assert PLANTED not in str(caught.value)
    return str(caught.value)


def password(credential: Credential) -> str:
    assert credential.password is not None
    return credential.password.reveal()


def private(path: Path, content: bytes, mode: int = 0o600) -> str:
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def printing(program: str) -> FromCommand:
    return FromCommand(argv=(sys.executable, "-c", program), timeout=20)


# --- prompt ---


async def test_a_prompt_asks_for_the_user_by_name() -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return PLANTED

    credential = await fetch(FromPrompt(user="CORP\\admin"), ask=answer)
    assert asked == ["Password of CORP\\admin (credential it): "]
    assert (credential.user, password(credential)) == ("CORP\\admin", PLANTED)


async def test_an_empty_answer_is_no_secret() -> None:
    assert "nothing was typed" in await refusal(FromPrompt(), ask=lambda _question: "")


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(UsageError, match="no terminal to ask on"):
        ask_on_terminal("Password: ")


def test_on_a_terminal_the_answer_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream: f"{prompt}{stream is sys.stderr}")
    assert ask_on_terminal("Password: ") == "Password: True"


# --- environment ---


async def test_a_variable() -> None:
    credential = await fetch(FromEnvironment(variable="AD"), environ={"AD": PLANTED})
    assert password(credential) == PLANTED


async def test_a_variable_that_is_not_set() -> None:
    assert "environment variable AD is not set" in await refusal(
        FromEnvironment(variable="AD"), environ={}
    )


# --- file ---


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
async def test_a_files_last_line_end_does_not_count(end: bytes, tmp_path: Path) -> None:
    path = private(tmp_path / "secret", PLANTED.encode() + end)
    assert password(await fetch(FromFile(path=path))) == PLANTED


async def test_everything_else_in_a_file_counts(tmp_path: Path) -> None:
    path = private(tmp_path / "secret", b" two words \n\n")
    assert password(await fetch(FromFile(path=path))) == " two words \n"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
async def test_a_file_that_others_may_use_is_refused(mode: int, tmp_path: Path) -> None:
    path = private(tmp_path / "secret", PLANTED.encode(), mode)
    assert f"chmod 600 {path}" in await refusal(FromFile(path=path))


async def test_another_users_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = private(tmp_path / "secret", PLANTED.encode())
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    assert "belongs to another user" in await refusal(FromFile(path=path))


async def test_a_pipe_does_not_hold_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "secret", 0o600)
    assert "is not a file" in await refusal(FromFile(path=str(tmp_path / "secret")))


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is empty"), (b"\xff\xfe", "not UTF-8"), (b"x" * 70_000, "more than 65536 bytes")],
)
async def test_a_file_without_a_secret(content: bytes, says: str, tmp_path: Path) -> None:
    assert says in await refusal(FromFile(path=private(tmp_path / "secret", content)))


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in await refusal(FromFile(path=str(tmp_path / "secret")))


# --- command ---


async def test_a_commands_output() -> None:
    credential = await fetch(printing(f"print('{PLANTED}')"))
    assert password(credential) == PLANTED


async def test_no_shell_reads_a_command() -> None:
    credential = await fetch(FromCommand(argv=("echo", "$HOME; id")))
    assert password(credential) == "$HOME; id"


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (f"print('{PLANTED}'); raise SystemExit(3)", "ended with status 3"),
        (f"import sys; sys.exit('{PLANTED}')", "ended with status 1"),
        ("pass", "printed nothing"),
        ("print('x' * 10_000_000)", "more than 65536 bytes"),
    ],
)
async def test_a_command_that_fails(program: str, says: str) -> None:
    assert says in await refusal(printing(program))


async def test_a_command_that_hangs_is_ended() -> None:
    hanging = FromCommand(argv=("sleep", "3600"), timeout=0.05)
    assert "sleep did not end within 0.05 seconds" in await refusal(hanging)


async def test_what_a_hanging_command_started_is_ended_too() -> None:
    hanging = FromCommand(argv=("sh", "-c", "sleep 3600 & wait"), timeout=0.05)
    assert "did not end" in await refusal(hanging)


async def test_a_command_that_leaves_its_output_open_is_ended() -> None:
    leaving = FromCommand(argv=("sh", "-c", "sleep 3600 & echo secret"), timeout=0.3)
    assert "did not end" in await refusal(leaving)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((), "its command is empty"),
        (("/no/such/vault",), "No such file"),
        (("a\0b",), "not a program's name"),
    ],
)
async def test_a_command_that_cannot_be_started(argv: tuple[str, ...], says: str) -> None:
    assert says in await refusal(FromCommand(argv=argv))


# --- keyring ---


class Ring(types.ModuleType):
    """A keyring that holds one secret."""

    def get_password(self, service: str, entry: str) -> str | None:
        if service == "locked":
            raise sys.modules["keyring.errors"].KeyringError(PLANTED)
        return PLANTED if (service, entry) == ("recovery", "admin") else None


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring, errors = Ring("keyring"), types.ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]
    keyring.errors = errors  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize(
    "definition",
    [FromKeyring(service="recovery", user="admin"), FromKeyring(service="recovery", entry="admin")],
)
async def test_a_keyrings_entry(definition: FromKeyring) -> None:
    assert password(await fetch(definition)) == PLANTED


@pytest.mark.usefixtures("ring")
async def test_a_keyring_without_the_entry() -> None:
    assert "holds nothing for it in 'recovery'" in await refusal(FromKeyring(service="recovery"))


@pytest.mark.usefixtures("ring")
async def test_a_keyring_that_refuses() -> None:
    assert "the keyring refused (KeyringError)" in await refusal(FromKeyring(service="locked"))


async def test_a_keyring_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "fleet-recovery[keyring]" in await refusal(FromKeyring(service="recovery"))


# --- keys ---


async def test_the_agent_holds_its_own() -> None:
    assert await fetch(FromAgent(user="root")) == Credential(name="it", user="root", agent=True)


async def test_a_key_file_and_its_passphrase(tmp_path: Path) -> None:
    path = private(tmp_path / "key", b"-----BEGIN")
    definition = FromKeyFile(user="root", path=path, passphrase=FromEnvironment(variable="PHRASE"))
    credential = await fetch(definition, environ={"PHRASE": PLANTED})
    assert credential.key_file == path
    assert credential.passphrase is not None
    assert credential.passphrase.reveal() == PLANTED
    assert credential.password is None


async def test_a_key_file_without_a_passphrase(home: Path) -> None:
    private(home / "key", b"-----BEGIN")
    credential = await fetch(FromKeyFile(path="~/key"))
    assert (credential.key_file, credential.passphrase) == (str(home / "key"), None)


async def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = private(tmp_path / "key", b"-----BEGIN", 0o644)
    assert "chmod 600" in await refusal(FromKeyFile(path=path))


async def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in await refusal(FromKeyFile(path=str(tmp_path / "key")))


# --- what becomes of them ---


async def test_what_was_fetched_is_masked_from_then_on() -> None:
    credential = await fetch(FromEnvironment(variable="AD"), environ={"AD": "masked-from-then-on"})
    assert scrub("the password masked-from-then-on") == f"the password {MASK}"
    assert "masked-from-then-on" not in repr(credential)
