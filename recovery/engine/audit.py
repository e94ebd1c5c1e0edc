"""The step that looks at a host before an incident: what runs in its kernel, and how it could be helped."""

from __future__ import annotations

from collections.abc import Mapping

from recovery.engine.context import GO, Turn
from recovery.engine.pursuit import Pursuit
from recovery.engine.steps import read_evidence
from recovery.model.evidence import KernelModules
from recovery.model.host import Os
from recovery.model.playbook import Step


class Exposure:
    """Read what could take the host down; no incident is needed for that."""

    def __init__(self, processes: Mapping[Os, tuple[str, ...]]) -> None:
        """Ask for these processes of security products beside what the host tells by itself."""
        self._processes = processes

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """One round trip."""
        names = "\n".join(self._processes.get(pursuit.host.os, ()))
        evidence = await read_evidence(pursuit, step, "exposure", {"PROCESSES": names})
        if isinstance(evidence, Turn):
            return evidence
        if not any(isinstance(item, KernelModules) for item in evidence):
            return pursuit.failed(step, "the host did not say what runs in its kernel")
        pursuit.emit_finished(step, "ok", evidence=evidence)
        return GO
