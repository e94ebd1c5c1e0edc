"""`sim serve`: a simulated fleet behind real sockets, to rehearse on and to try clients against."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from recovery.cli.main import app
from recovery.cli.output import data, documents, say
from recovery.cli.shared import Inventory, Limit, Output, Param, assignments, form
from recovery.errors import UsageError
from recovery.inventory.export import dump
from recovery.inventory.loader import load_with_warnings
from recovery.inventory.selection import select
from recovery.model.host import Fleet
from recovery.model.incident import Incident
from recovery.planning import DEFAULT_INCIDENT, mix_beside, read_incident
from recovery.worlds import SystemClock

if TYPE_CHECKING:
    from recovery.sim.wire.fleet import Counts

sim_app = typer.Typer(help="Simulated machines behind real sockets.", no_args_is_help=True)
app.add_typer(sim_app, name="sim")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be served."""

    fleet: Fleet
    incident: Incident
    folder: Path
    mix: str
    """File of the fault mix; empty means the usual one."""
    seed: int
    speed: float


IncidentName = Annotated[str, typer.Option(help="The incident that the machines are in.")]
MixFile = Annotated[str, typer.Option(help="Fault mix; the one beside the inventory by default.")]
Seed = Annotated[int, typer.Option(help="Another seed, another fleet.")]
Speed = Annotated[str, typer.Option(help="realtime, or how many times faster: 10x.")]
Write = Annotated[
    str,
    typer.Option(
        help="Folder for inventory, settings, keys and certificates.", show_default="a new one"
    ),
]


@sim_app.command("serve")
def serve_fleet(
    inventory: Inventory,
    limit: Limit = [],
    incident: IncidentName = DEFAULT_INCIDENT,
    mix: MixFile = "",
    seed: Seed = 0,
    speed: Speed = "realtime",
    write: Write = "",
    param: Param = [],
    output: Output = "text",
) -> None:
    """Serve every host over SSH or WinRM on loopback until Ctrl-C, and write what a client needs to reach them.

    The machines behave as in a mock run: they answer, crash and restart by their fault mix. Hosts with an address in
    127.0.0.0/8 keep it; the others get one.
    """
    shape = form(output, "text", "json")
    fleet = select(load_with_warnings(inventory)[0], tuple(limit), {}, SystemClock().now())
    wanted = Wanted(
        fleet=fleet,
        incident=read_incident(incident, assignments(param, "--param"))[0],
        folder=_folder(write),
        mix=mix or mix_beside(inventory),
        seed=seed,
        speed=_factor(speed),
    )
    counts = asyncio.run(_serve(wanted))
    if shape == "json":
        documents({"schema": 1, **msgspec.to_builtins(counts)}, "json")
    else:
        data(
            f"{counts.hosts} hosts, {counts.connections} connections, {counts.refusals} refused sign-ins, "
            f"{counts.shells} of {counts.shells_opened} remote shells still open"
        )


async def _serve(wanted: Wanted) -> Counts:
    from recovery.sim.faults import DEFAULT_MIX, load_mix
    from recovery.sim.wire.fleet import serve

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    serving = serve(
        wanted.fleet,
        wanted.incident,
        wanted.folder,
        mix=load_mix(Path(wanted.mix)) if wanted.mix else DEFAULT_MIX,
        seed=wanted.seed,
        speed=wanted.speed,
    )
    async with serving as served:
        listed = wanted.folder / "inventory.yaml"
        listed.write_text(dump(served.fleet, "yaml"), encoding="utf-8")
        say(f"{len(served.machines)} machines are there; Ctrl-C ends them. To meet them:")
        say(f"  recovery --config {quote(str(served.settings))} triage -i {quote(str(listed))}")
        await ended.wait()
        return served.counts


def _factor(speed: str) -> float:
    from recovery.sim.virtual import parse_speed

    factor = parse_speed(speed)
    if factor == "max":
        raise UsageError("--speed max: real sockets take real time; say realtime or 10x")
    return 1.0 if factor == "realtime" else float(factor)


def _folder(named: str) -> Path:
    if not named:
        return Path(tempfile.mkdtemp(prefix="recovery-sim-"))
    folder = Path(named).expanduser().absolute()
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"--write {named}: it is not a folder, or one that cannot be written to")
    return folder
