"""Management boards by Redfish (sushy): power, the device of the next start, virtual media; Dell's screenshots.

Options of a console: `system` (uuid, identity or name, where a board has several), `ca_file`, `verify: no`. A password
goes over https, or to loopback. Nothing that a board sends is taken beyond a bound, and no redirect leads elsewhere.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from recovery.consoles.extras import Account, Deadline, load
from recovery.errors import (
    AuthRefusedError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from recovery.model.address import is_loopback
from recovery.model.console import BootDevice, Power
from recovery.model.host import ConsoleRef, Host
from recovery.ports import PICTURE_LIMIT, Credential, Credentials, News

T = TypeVar("T")
_READ = 15.0
"""Seconds without a byte after which a board is given up."""
_MOST_BYTES = 2 * PICTURE_LIMIT
_PART = 64 * 1024
_OVER = "its time is over"
_DELL = "DellLCService.ExportServerScreenShot"
_DELL_PLACES = (
    "/redfish/v1/Managers/{manager}/Oem/Dell/DellLCService/Actions/" + _DELL,
    "/redfish/v1/Dell/Managers/{manager}/DellLCService/Actions/" + _DELL,
)
"""Where firmware versions have it (Dell's iDRAC Redfish scripts and reference)."""
_LIES = (ValueError, TypeError, AttributeError, KeyError, LookupError)
"""What the library raises for documents that are not of Redfish's form."""
_NO = ("no", "false", "0", "off")


class RedfishConsole:
    """`recovery.ports.Console` to management boards."""

    name = "redfish"

    def __init__(self, credentials: Credentials) -> None:
        """Sign in with what `credentials` has under the consoles' names."""
        self._credentials = credentials

    async def picture(self, host: Host, timeout: float) -> bytes:
        """Dell's boards only: Redfish itself has no screenshots."""
        found = await self._do(host, timeout, lambda board: _screenshot(board, "ServerScreenShot"))
        if found is None:
            raise UnsupportedError(
                f"{host.name}: its management board shows no screen over Redfish"
            )
        return found

    async def crash_picture(self, host: Host, timeout: float) -> bytes | None:
        """Dell's boards keep it over the restart."""
        return await self._do(
            host, timeout, lambda board: _screenshot(board, "LastCrashScreenShot")
        )

    async def power(self, host: Host, timeout: float) -> Power:
        """As the board reads it."""
        return await self._do(host, timeout, _power)

    async def switch(self, host: Host, *, on: bool, timeout: float) -> None:
        """`On`, `ForceOff`."""
        await self._do(host, timeout, lambda board: _switch(board, on=on))

    async def boot_once(self, host: Host, device: BootDevice, medium: str, timeout: float) -> None:
        """A boot source override for one start, read again afterwards; a medium is inserted before."""
        await self._do(host, timeout, lambda board: _boot_once(board, device, medium))

    def news(self, host: Host) -> AsyncIterator[News]:
        """None: a board would have to be able to reach this machine to tell of anything."""
        raise UnsupportedError(f"{host.name}: management boards are asked, and do not tell")

    async def aclose(self) -> None:
        """Nothing is held between two operations."""

    async def _do(self, host: Host, timeout: float, work: Callable[[_Board], T]) -> T:
        """Carry `work` out in a thread. Raises `TransportError`, `UnsupportedError`."""
        console = host.console
        if console is None or not console.address:
            raise UnreachableError(f"{host.name}: its console has no address")
        account = Account(self._credentials, console.credential)
        credential = await account.credential()
        _check_way(host.name, console, credential)

        def all_of_it(deadline: Deadline) -> T:
            with _Board(host.name, console, credential, deadline) as board:
                return work(board)

        return await account.used(f"{host.name}: its management board", timeout, all_of_it)


class _Board:
    """One conversation with a board."""

    def __init__(
        self, host: str, console: ConsoleRef, credential: Credential | None, deadline: Deadline
    ) -> None:
        self._deadline = deadline
        self._sushy = load("sushy", "redfish", "redfish")
        self._host = host
        self._console = console
        self._credential = credential

    def __enter__(self) -> Self:
        console, credential = self._console, self._credential
        connector = load("sushy.connector", "redfish", "redfish").Connector(
            _root(console.address),
            verify=_verify(console),
            server_side_retries=1,
            default_request_timeout=_READ,
        )
        session = connector._session  # noqa: SLF001 - its proxies and adapters have no other door
        session.trust_env = False
        session.max_redirects = 0
        for scheme in ("http://", "https://"):
            session.mount(scheme, _bounded_adapter(self._deadline))
        self.connector = connector
        ways = load("sushy.auth", "redfish", "redfish")
        if credential is None or credential.password is None:
            way = _without_auth(ways)
        else:
            way = ways.BasicAuth(username=credential.user, password=credential.password.reveal())
        self.root = self._told(
            lambda: self._sushy.Sushy(
                _root(console.address), auth=way, connector=connector, verify=_verify(console)
            )
        )
        return self

    def __exit__(self, *error: object) -> None:
        self.connector._session.close()  # noqa: SLF001 - as above

    def ask(self, work: Callable[[], T]) -> T:
        """The board's answer, its refusals as errors of ours."""
        return self._told(work)

    def system(self) -> Any:
        """The machine that the host is. Raises `UnsupportedError` where it is not clear which."""
        members = self.ask(lambda: self.root.get_system_collection().get_members())
        wanted = self._console.options.get("system", "")
        found = [
            system
            for system in members
            if not wanted or wanted in (system.uuid, system.identity, system.name)
        ]
        if len(found) != 1:
            names = ", ".join(str(system.identity) for system in members[:8]) or "none"
            raise UnsupportedError(
                f"{self._host}: its management board has {len(members)} machines ({names}); "
                "name one in the console's option `system`"
            )
        return found[0]

    def post(self, path: str, data: dict[str, str]) -> dict[str, Any]:
        """The answer to an action; empty where the board does not have it."""
        try:
            found = self.ask(lambda: self.connector.post(path, data=data).json())
        except _NotThereError:
            return {}
        return found if isinstance(found, dict) else {}

    def _told(self, work: Callable[[], T]) -> T:
        requests = load("requests", "redfish", "redfish")
        errors = self._sushy.exceptions
        try:
            return work()
        except errors.AccessError:
            message = f"{self._host}: its management board refused the credential"
            raise AuthRefusedError(message) from None
        except errors.ResourceNotFoundError as error:
            raise _NotThereError(f"{self._host}: {str(error)[:300]}") from None
        except errors.ConnectionError as error:
            said = str(error)[:300]
            message = f"{self._host}: its management board does not answer: {said}"
            raise UnreachableError(message) from None
        except (errors.SushyError, requests.RequestException, *_LIES) as error:
            message = f"{self._host}: its management board: {str(error)[:300]}"
            raise TransportError(message) from None


class _NotThereError(UnsupportedError):
    """The board has no such thing."""


def _power(board: _Board) -> Power:
    state = board.system().power_state
    said = str(getattr(state, "value", state))
    powers: dict[str, Power] = {"On": "on", "Off": "off", "Paused": "paused"}
    return powers.get(said, "unknown")


def _switch(board: _Board, *, on: bool) -> None:
    system = board.system()
    kinds = load("sushy", "redfish", "redfish")
    value = kinds.RESET_ON if on else kinds.RESET_FORCE_OFF
    board.ask(lambda: system.reset_system(value))


def _boot_once(board: _Board, device: BootDevice, medium: str) -> None:
    system = board.system()
    slot = _slot(board) if medium or device != "network" else None
    if device == "media":
        if slot is None or not medium:
            raise UnsupportedError("no slot for virtual media, or no image to insert, was given")
        _insert(board, slot, medium)
    elif device == "disk" and slot is not None and slot.inserted:
        board.ask(slot.eject_media)
    try:
        _choose(board, system, device)
    except (TransportError, UnsupportedError):
        # Nobody is going to start from the medium, and some day the machine would.
        if device == "media" and slot is not None:
            with suppress(TransportError, UnsupportedError):
                board.ask(slot.eject_media)
        raise


def _insert(board: _Board, slot: Any, medium: str) -> None:
    board.ask(lambda: slot.insert_media(medium, inserted=True, write_protected=True))
    board.ask(lambda: slot.refresh(force=True))
    if not slot.inserted:
        raise TransportError("the board took the image, and does not say that it is inserted")


def _choose(board: _Board, system: Any, device: BootDevice) -> None:
    kinds = load("sushy", "redfish", "redfish")
    targets = {
        "disk": (kinds.BOOT_SOURCE_TARGET_HDD, kinds.BOOT_SOURCE_ENABLED_DISABLED),
        "network": (kinds.BOOT_SOURCE_TARGET_PXE, kinds.BOOT_SOURCE_ENABLED_ONCE),
        "media": (kinds.BOOT_SOURCE_TARGET_CD, kinds.BOOT_SOURCE_ENABLED_ONCE),
    }
    target, enabled = targets[device]
    board.ask(lambda: system.set_system_boot_options(target, enabled))
    board.ask(lambda: system.refresh(force=True))
    if device != "disk" and system.boot.target != target:
        raise TransportError(f"the board was told to start from {device} once, and does not say so")


def _slot(board: _Board) -> Any:
    """The first slot for a CD, of the machine itself or of its board; None where there is none."""
    kinds = load("sushy", "redfish", "redfish")
    places: list[Callable[[], Any]] = [
        lambda: _media_of(board.system()),
        *(partial(_media_of, manager) for manager in _managers(board)),
    ]
    for place in places:
        try:
            slots = board.ask(place)
        except (TransportError, UnsupportedError):
            continue
        for slot in slots:
            if kinds.VIRTUAL_MEDIA_CD in (slot.media_types or ()):
                return slot
    return None


def _media_of(owner: Any) -> Any:
    return owner.virtual_media.get_members()


def _managers(board: _Board) -> list[Any]:
    found: list[Any] = board.ask(lambda: board.root.get_manager_collection().get_members())
    return found


def _screenshot(board: _Board, kind: str) -> bytes | None:
    for found in _managers(board):
        manager = str(found.identity)
        if not all(char.isalnum() or char in "._-" for char in manager):
            continue
        for place in _DELL_PLACES:
            answer = board.post(place.format(manager=manager), {"FileType": kind})
            text = answer.get("ServerScreenshotFile") or answer.get("ServerScreenShotFile")
            if isinstance(text, str) and text:
                return _decoded(text)
    return None


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise TransportError("the board's picture is not base64") from None
    if len(data) > PICTURE_LIMIT:
        raise TransportError(f"the board's picture has more than {PICTURE_LIMIT} bytes")
    return data


def _bounded_adapter(deadline: Deadline) -> Any:
    """An adapter of requests that reads so many bytes of an answer, for so long, and sends nothing after that."""
    requests = load("requests", "redfish", "redfish")

    class Bounded(requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
        def send(self, request: Any, **options: Any) -> Any:
            try:
                options |= {"stream": True, "timeout": deadline.left(_READ)}
                response = super().send(request, **options)
            except TimeoutError:
                raise requests.exceptions.Timeout(_OVER) from None
            try:
                response._content = _body(response.raw, deadline)  # noqa: SLF001 - what requests itself sets
            except BaseException as error:
                response.close()
                if isinstance(error, TimeoutError):
                    raise requests.exceptions.Timeout(_OVER) from None
                raise
            return response

    return Bounded()


def _body(raw: Any, deadline: Deadline) -> bytes:
    """Raises `TimeoutError`, and `ContentDecodingError` for too much."""
    requests = load("requests", "redfish", "redfish")
    body = bytearray()
    while part := raw.read1(_PART, decode_content=True):
        body += part
        deadline.left(_READ)
        if len(body) > _MOST_BYTES:
            message = f"the answer has more than {_MOST_BYTES} bytes"
            raise requests.exceptions.ContentDecodingError(message)
    return bytes(body)


def _without_auth(ways: Any) -> Any:
    """Signs in as nobody."""

    class Nobody(ways.AuthBase):  # type: ignore[misc]
        def _do_authenticate(self) -> None:
            """There is nothing to say."""

        def can_refresh_session(self) -> bool:
            return False

    return Nobody()


def _root(address: str) -> str:
    return address if "://" in address else f"https://{address}"


def _verify(console: ConsoleRef) -> bool | str:
    if console.options.get("verify", "").lower() in _NO:
        return False
    return console.options.get("ca_file") or True


def _check_way(host: str, console: ConsoleRef, credential: Credential | None) -> None:
    found = urlsplit(_root(console.address))
    if found.scheme not in ("http", "https") or not found.hostname or found.username:
        raise UnsupportedError(
            f"{host}: a Redfish console's address is https://HOST[:PORT], and holds no password"
        )
    if found.scheme == "http" and credential is not None and not is_loopback(found.hostname):
        raise UnsupportedError(
            f"{host}: a password does not go over http to {found.hostname}; use https"
        )
