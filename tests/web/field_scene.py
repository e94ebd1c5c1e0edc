"""The field page in this process: people with their browsers, and a journal that outlives a restart."""

from __future__ import annotations

import html
import re
import secrets
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from recovery.desk.tokens import digest
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.journal.words import describe
from recovery.model.events import AnyEvent, HostObserved
from recovery.model.evidence import BitLockerVolume, BootIdentity, MachineFacts, Verdict
from recovery.model.field_events import Role
from recovery.model.key_source import FromTable
from recovery.service.field_desk import FieldDesk
from recovery.service.field_keys import FieldKeys
from recovery.settings import KeysSection, Settings
from recovery.web.app import make_app
from recovery.web.site import Site, limits
from tests.unit.desk.desk_clock import HandClock
from tests.unit.desk.key_cases import key_ids, key_text, write_keys
from tests.unit.journal.happenings import BEGAN

if TYPE_CHECKING:
    from httpx2 import Response

IDS = key_ids(30)
KEYS = {key_id: key_text(number) for number, key_id in enumerate(IDS)}
METRICS_TOKEN = "scraper-token-0123456789"
_FIELD = re.compile(r'name="(csrf|once)" value="([^"]*)"')


class Browser:
    """A person's browser, without the page's script."""

    def __init__(self, scene: Scene, address: str = "10.0.0.9") -> None:
        self.scene = scene
        self.client = TestClient(
            scene.app,
            base_url="http://testserver",
            client=(address, 4711),
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def get(self, path: str) -> Response:
        return self.client.get(path)

    def fields(self, path: str = "/board") -> dict[str, str]:
        """The hidden fields of a page's first form, with a key for a form of its own."""
        found = dict(_FIELD.findall(self.get(path).text))
        return {"csrf": found.get("csrf", ""), "once": secrets.token_urlsafe()}

    def post(self, path: str, *, page: str = "/board", **fields: str) -> Response:
        return self.client.post(path, data={**self.fields(page), **fields})

    def do(self, verb: str, host: str = "h1", **fields: str) -> Response:
        return self.post(f"/do/{verb}", host=host, **fields)

    def key(self, key_id: str, host: str = "h1") -> Response:
        return self.post("/key", host=host, key_id=key_id)

    def enter(self, token: str) -> Response:
        return self.client.post("/enter", data={"token": token})


class Scene:
    """Three hosts that need hands, and a table of keys."""

    def __init__(self, folder: Path, *, to_media: bool = True, per_hour: int = 6) -> None:
        self.clock = HandClock(BEGAN)
        self.path = folder / "journal.db"
        self.table = write_keys(folder / "keys.csv", KEYS)
        self.settings = Settings(
            journal=str(self.path),
            keys=KeysSection(
                sources=(FromTable(name="table", path=str(self.table)),),
                show_for=60.0,
                per_hour=per_hour,
            ),
        )
        self._to_media = to_media
        self.metrics_token = digest("metrics", METRICS_TOKEN)
        self.restart()
        self.desk.add(["h1", "h2", "h3"], "blue screen", site="ATL", location="T3 gate A")

    def restart(self) -> None:
        """As if the page's process had ended and begun anew."""
        self.desk = FieldDesk(self.settings, self.clock)
        self.site = Site(
            desk=self.desk,
            keys=FieldKeys(self.desk, to_media=self._to_media),
            mint=secrets.token_urlsafe,
            limits=limits(lambda: self.clock.now().timestamp(), self.settings.keys.per_hour),
            metrics=lambda: b"fleet_recovery_total_hosts 3.0\n",
            metrics_token=self.metrics_token,
        )
        self.app = make_app(self.site)

    def resume(self, browser: Browser) -> Browser:
        """The same browser after a restart."""
        again = Browser(self)
        again.client.cookies = browser.client.cookies
        return again

    def link(self, person: str, role: Role = Role.TECHNICIAN, minutes: float = 60) -> str:
        return self.desk.link(
            person, role, secrets.token_urlsafe, "desk", timedelta(minutes=minutes)
        ).reveal()

    def browser(self, person: str, role: Role = Role.TECHNICIAN) -> Browser:
        """Somebody who has signed in."""
        made = Browser(self)
        assert made.enter(self.link(person, role)).status_code == 303
        return made

    def events(self) -> list[AnyEvent]:
        with closing(Reader.open(self.path)) as log:
            return [stored.event for stored in log.read()]

    def kinds(self) -> list[str]:
        return [str(type(event).__struct_config__.tag) for event in self.events()]

    def told(self) -> str:
        """The journal in words."""
        return "\n".join(describe(event) for event in self.events())

    def observe(self, host: str, verdict: Verdict, protector: str = "") -> None:
        """Evidence of the machine itself."""
        now = self.clock.now()
        volumes = (BitLockerVolume(drive="C:", protectors=(protector,)),) if protector else ()
        facts: Any = (
            MachineFacts(at=now, source="ssh", volumes=volumes)
            if protector
            else BootIdentity(at=now, source="ssh", boot_id="b2")
        )
        with closing(Log.open(self.path)) as log:
            log.append(HostObserved(at=now, host=host, evidence=(facts,), verdict=verdict))


def shown(response: Response) -> str:
    """What a page says, as a person reads it."""
    return html.unescape(re.sub(r"<[^>]*>", "", response.text))
