"""Where recovery keys are looked up: the sources that the settings name, opened with their credentials."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from recovery.credentials import CredentialStore
from recovery.credentials.sources import Asker, ask_on_terminal
from recovery.errors import UsageError
from recovery.model.key_source import AnyKeySource, FromDirectory, FromEntra, FromExport, FromTable
from recovery.model.secret import Secret
from recovery.redact import register
from recovery.settings import Settings

if TYPE_CHECKING:
    from recovery.desk.sources import KeySource


async def key_sources(settings: Settings, asker: Asker | None = None) -> tuple[KeySource, ...]:
    """The sources of recovery keys that the settings name, with what they sign in with.

    Raises `UsageError`, and `KeySourceError` where one cannot be as it is described.
    """
    store = CredentialStore(settings.credentials, ask=asker)
    return tuple(
        [await _key_source(definition, store, asker) for definition in settings.keys.sources]
    )


async def _key_source(
    definition: AnyKeySource, store: CredentialStore, asker: Asker | None
) -> KeySource:
    from recovery.desk.sources.directory import DirectorySource
    from recovery.desk.sources.entra import EntraSource
    from recovery.desk.sources.export import ExportSource
    from recovery.desk.sources.table import TableSource

    name = definition.name or str(type(definition).__struct_config__.tag)
    match definition:
        case FromTable(path=path):
            return TableSource(name, path)
        case FromExport(path=path, credential=""):
            question = f"Passphrase of {path}: "
            typed = await asyncio.to_thread(asker or ask_on_terminal, question)
            return ExportSource(name, path, register(Secret(typed)))
        case _:
            credential = await store.get(definition.credential)
            secret = credential.password
            if secret is None:
                raise UsageError(
                    f"keys: {name}: credential {definition.credential!r} has no secret"
                )
    match definition:
        case FromDirectory():
            return DirectorySource(name, definition, credential.user, secret)
        case FromEntra():
            return EntraSource(name, definition, secret)
        case FromExport(path=path):
            return ExportSource(name, path, secret)
