"""Secrets are recognised by the name of a variable or by the look of a value."""

from __future__ import annotations

from typing import Any

import pytest

from recovery.inventory.withheld import (
    Vault,
    find_secret,
    is_secret,
    is_secret_name,
    without_secrets,
)


@pytest.mark.parametrize(
    "name",
    [
        "password", "Password", "ansible_password", "ansible_ssh_pass", "ansible_become_pass", "dbPassword",
        "DB_PASSWORD", "admin-passwd", "winrm_pwd", "vault_secret", "apiToken", "recovery_key", "bitlockerRecoveryKey",
        "private_key", "API_KEY", "aws_secret_access_key", "passphrase", "password2", "db.password",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "passenger", "bypass", "password_file", "ansible_ssh_private_key_file", "token_url", "key", "compass",
     "password_age_days", "secretary", "credential", "ws[1-2]", "7"],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("password", "x", True),
        ("password", "", False),
        ("password", None, False),
        ("password", True, False),
        ("password", 12345, True),
        ("password", "{{ vault_password }}", False),
        ("password", "{{ creds['db'].password }}", False),
        ("password", "{{ 'planted' }}", True),
        ("password", "{{ lookup('env', 'X') | default('planted') }}", True),
        ("url", "https://example.com/a@b", False),
        ("url", "https://user@example.com/", False),
        ("url", "https://user:planted@example.com/", True),
        ("url", "amqp://:planted@example.com", True),
        ("pem", "-----BEGIN RSA PRIVATE KEY-----\nabc", True),
        ("pem", "-----BEGIN CERTIFICATE-----", False),
        ("text", "$ANSIBLE_VAULT;1.1;AES256\n6162", True),
        ("args", "sshpass -p planted ssh", True),
        ("sealed", Vault(), True),
        ("number", 7, False),
    ],
)
def test_values(name: str, value: Any, secret: bool) -> None:
    assert is_secret(name, value) == secret


def test_secrets_at_any_depth() -> None:
    values = {
        "a": 1,
        "db": {
            "user": "u",
            "password": "planted",
            "list": [{"token": "planted", "name": "n"}, "plain"],
        },
        "urls": ["https://u:planted@x", "https://x"],
        "pair": ("x", "y"),
        "passwords": {"x": "kept, since the name is not a secret's"},
    }
    kept, found = without_secrets(values)
    assert found == ["db.password", "db.list.token", "urls"]
    assert "planted" not in str(kept)
    assert kept == {
        "a": 1,
        "db": {"user": "u", "list": [{"name": "n"}, "plain"]},
        "urls": ["https://x"],
        "pair": ["x", "y"],
        "passwords": values["passwords"],
    }
    assert find_secret(values) == "db.password"
    assert find_secret(kept) == ""
    assert without_secrets(kept)[0] is kept


def test_very_deep_values_are_left_as_they_are() -> None:
    deep: Any = "end"
    for _ in range(60):
        deep = [deep]
    assert without_secrets({"x": deep}) == ({"x": deep}, [])
