"""A missing program skips a test on a user's machine and fails it in CI."""

from __future__ import annotations

import pytest

from tests.needs import need


def test_a_program_that_is_there_is_named_by_its_path() -> None:
    assert need("sh").endswith("/sh")


def test_a_module_that_is_there_holds_nobody_up() -> None:
    assert need("module:msgspec") == ""


@pytest.mark.parametrize("name", ["no-such-program", "module:no_such_module"])
def test_what_is_missing_skips_with_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECOVERY_CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=name.rpartition(":")[2]):
        need(name)


def test_in_ci_what_is_missing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOVERY_CI", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-program"):
        need("no-such-program")


def test_in_ci_an_ordinary_user_is_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOVERY_CI", "1")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(pytest.fail.Exception, match="root"):
        need("root")
