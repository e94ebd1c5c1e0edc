"""Where secrets come from. What goes wrong is said without the secret, or anything that a provider printed."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from recovery import private_file, programs
from recovery.errors import UsageError
from recovery.model.credential import (
    AnySource,
    CredentialDefinition,
    FromAgent,
    FromCommand,
    FromEnvironment,
    FromFile,
    FromKeyFile,
    FromKeyring,
    FromPrompt,
)
from recovery.model.secret import Secret
from recovery.ports import Credential
from recovery.redact import register

Asker = Callable[[str], str]
"""Shows a question and returns what was typed, unseen."""

_MOST_BYTES = 64 * 1024

_EMPTY: Mapping[type[AnySource], str] = {
    FromPrompt: "nothing was typed",
    FromEnvironment: "the environment variable {0.variable} is not set",
    FromFile: "{0.path} is empty",
    FromKeyring: "the keyring holds nothing for it in {0.service!r}",
    FromCommand: "{0.argv[0]} printed nothing",
}
"""What to say when a provider gives no secret."""


def ask_on_terminal(question: str) -> str:
    """Ask on the terminal, without showing what is typed. Raises `UsageError` when there is none."""
    if not sys.stdin.isatty():
        message = "there is no terminal to ask on; let another provider (env, file, keyring, command) give the secret"
        raise UsageError(message)
    return getpass.getpass(question, stream=sys.stderr)


class Sources:
    """The providers, with what they read from."""

    def __init__(
        self, *, environ: Mapping[str, str] | None = None, ask: Asker | None = None
    ) -> None:
        """Read variables of `environ` (the process's own by default) and ask people by `ask`."""
        self._environ = os.environ if environ is None else environ
        self._ask = ask or ask_on_terminal
        self._asking = asyncio.Lock()

    async def credential(self, name: str, definition: CredentialDefinition) -> Credential:
        """Fetch the credential `name`. Raises `UsageError` when it is not to be had."""
        user = definition.user
        match definition:
            case FromAgent():
                return Credential(name=name, user=user, agent=True)
            case FromKeyFile(path=path, passphrase=source):
                file = await asyncio.to_thread(_private_key, name, path)
                phrase = (
                    None if source is None else await self._secret(f"{name} (passphrase)", source)
                )
                return Credential(name=name, user=user, key_file=file, passphrase=phrase)
            case _:
                return Credential(
                    name=name, user=user, password=await self._secret(name, definition)
                )

    async def _secret(self, name: str, source: AnySource) -> Secret:
        text = await self._text(name, source)
        if not text:
            raise _missing(name, _EMPTY[type(source)].format(source))
        return register(Secret(text))

    async def _text(self, name: str, source: AnySource) -> str:
        match source:
            case FromPrompt():
                return await self._prompted(name, source.user)
            case FromEnvironment():
                return self._environ.get(source.variable, "")
            case FromFile():
                return await asyncio.to_thread(_file_text, name, source.path)
            case FromKeyring():
                return await asyncio.to_thread(_keyring_text, name, source)
            case _:
                return await asyncio.to_thread(_command_text, name, source)

    async def _prompted(self, name: str, user: str) -> str:
        question = (
            f"Password of {user} (credential {name}): "
            if user
            else f"Secret of credential {name}: "
        )
        async with self._asking:
            return await asyncio.to_thread(self._ask, question)


def _missing(name: str, reason: str) -> UsageError:
    return UsageError(f"credential {name!r}: {reason}")


def _file_text(name: str, path: str) -> str:
    """The text of a file that nobody else may read."""
    file = Path(path).expanduser()
    try:
        raw = private_file.read(file, _MOST_BYTES)
    except ValueError as error:
        raise _missing(name, str(error)) from None
    except OSError as error:
        raise _missing(name, f"{file} cannot be read: {error.strerror}") from None
    return _text(name, raw, str(file))


def _private_key(name: str, path: str) -> str:
    file = Path(path).expanduser()
    try:
        private_file.check(file, file.stat())
    except ValueError as error:
        raise _missing(name, str(error)) from None
    except OSError as error:
        raise _missing(name, f"{file} cannot be read: {error.strerror}") from None
    return str(file)


def _keyring_text(name: str, source: FromKeyring) -> str:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise _missing(
            name, "the keyring extra is not installed: pip install 'fleet-recovery[keyring]'"
        ) from None
    try:
        return keyring.get_password(source.service, source.entry or source.user) or ""
    except keyring.errors.KeyringError as error:
        raise _missing(name, f"the keyring refused ({type(error).__name__})") from None


def _command_text(name: str, source: FromCommand) -> str:
    """What the program prints on standard output, bounded in size and time."""
    if not source.argv:
        raise _missing(name, "its command is empty")
    program = source.argv[0]
    try:
        ran = programs.run(source.argv, timeout=source.timeout, most_bytes=_MOST_BYTES)
    except TimeoutError:
        raise _missing(name, f"{program} did not end within {source.timeout:g} seconds") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a program's name"
        raise _missing(name, f"{program} cannot be started: {reason}") from None
    if ran.status:
        raise _missing(name, f"{program} ended with status {ran.status}")
    return _text(name, ran.output, program)


def _text(name: str, raw: bytes, origin: str) -> str:
    if len(raw) > _MOST_BYTES:
        raise _missing(name, f"{origin} gave more than {_MOST_BYTES} bytes")
    try:
        return raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise _missing(name, f"{origin} gave something that is not UTF-8 text") from None
