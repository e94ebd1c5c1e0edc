"""One Wine for all tests of the session's worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.windows.wine import Wine


@pytest.fixture(scope="session")
def wine_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    made = Wine(tmp_path_factory.mktemp("wine"))
    yield made
    made.close()


@pytest.fixture
def wine(wine_of_session: Wine) -> Iterator[Wine]:
    yield wine_of_session
    wine_of_session.clean()
