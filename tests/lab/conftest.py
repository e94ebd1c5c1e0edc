"""Real machines for the tests. Where they cannot be had, a test is skipped with the reason, and in CI it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.lab.fleet import FLEET, Lab
from tests.lab.guest import GuestSpec
from tests.lab.image import Image, build, cache_folder
from tests.lab.tools import LabUnavailableError, check_machine
from tests.needs import missing

OpenLab = Callable[..., AbstractContextManager[Lab]]


@pytest.fixture(scope="session")
def lab_image() -> Image:
    """What the guests boot from; built once, kept between runs."""
    try:
        check_machine()
        return build(cache_folder())
    except LabUnavailableError as error:
        missing(str(error))


@pytest.fixture
def open_lab(lab_image: Image, tmp_path_factory: pytest.TempPathFactory) -> OpenLab:
    """Makes a lab of the given `GuestSpec`s, to be used as a context."""
    return lambda *specs: Lab(lab_image, tmp_path_factory.mktemp("lab"), specs)


@pytest.fixture
def lab_fleet(open_lab: OpenLab) -> Iterator[Lab]:
    """Four running guests: windows of 3, 6 and 12 seconds, and a healthy one. Each test gets fresh disks."""
    with open_lab(*FLEET) as lab:
        yield lab


@pytest.fixture
def looping(open_lab: OpenLab) -> Iterator[Lab]:
    """One guest, `loop`, with a window of six seconds."""
    with open_lab(GuestSpec("loop", 6)) as lab:
        yield lab
