"""Where a host's WinRM service is: the settings, the host's own variables, and Ansible's."""

from __future__ import annotations

from typing import Any

import pytest

from recovery.errors import TransportError
from recovery.model.host import Host
from recovery.model.secret import Secret
from recovery.ports import Credential
from recovery.transports.winrm import WinrmSettings, means
from recovery.transports.winrm.place import place_of


def _host(port: int | None = None, address: str = "10.0.0.1", **variables: Any) -> Host:
    return Host(name="w", address=address, port=port, vars=variables)


@pytest.mark.parametrize(
    ("host", "settings", "endpoint"),
    [
        (_host(), {}, "https://10.0.0.1:5986/wsman"),
        (_host(5985), {}, "http://10.0.0.1:5985/wsman"),
        (_host(8443), {}, "https://10.0.0.1:8443/wsman"),
        (_host(), {"scheme": "http"}, "http://10.0.0.1:5985/wsman"),
        (_host(), {"port": 5985}, "http://10.0.0.1:5985/wsman"),
        (_host(5985), {"scheme": "https"}, "https://10.0.0.1:5985/wsman"),
        (_host(winrm_scheme="http"), {}, "http://10.0.0.1:5985/wsman"),
        (_host(winrm_port=80, winrm_scheme="HTTP"), {}, "http://10.0.0.1:80/wsman"),
        (_host(ansible_winrm_scheme="http"), {}, "http://10.0.0.1:5985/wsman"),
        (_host(ansible_winrm_port="5985"), {}, "http://10.0.0.1:5985/wsman"),
        (
            _host(winrm_scheme="https", ansible_winrm_scheme="http"),
            {},
            "https://10.0.0.1:5986/wsman",
        ),
        (_host(address="fe80::1"), {}, "https://[fe80::1]:5986/wsman"),
        (_host(address=""), {}, "https://w:5986/wsman"),
    ],
)
def test_where_it_is(host: Host, settings: dict[str, Any], endpoint: str) -> None:
    assert place_of(host, WinrmSettings(**settings)).endpoint == endpoint


@pytest.mark.parametrize(
    ("variables", "field", "value"),
    [
        ({"winrm_auth": "basic"}, "auth", "basic"),
        ({"ansible_winrm_transport": ["kerberos", "ntlm"]}, "auth", "kerberos"),
        ({"ansible_winrm_transport": "ssl"}, "auth", "basic"),
        ({"ansible_winrm_server_cert_validation": "ignore"}, "verify", False),
        ({"ansible_winrm_server_cert_validation": "validate"}, "verify", True),
        ({"winrm_verify": False}, "verify", False),
        ({"ansible_winrm_ca_trust_path": "/ca.pem"}, "ca_file", "/ca.pem"),
        ({"ansible_winrm_proxy": "http://p:1"}, "proxy", "http://p:1"),
        ({"ansible_winrm_operation_timeout_sec": 30}, "operation_timeout", 30),
        ({"ansible_winrm_operation_timeout_sec": 90}, "read_timeout", 91),
        ({"ansible_winrm_read_timeout_sec": "70"}, "read_timeout", 70),
        ({"ansible_winrm_kerberos_delegation": True}, "delegation", True),
        ({"winrm_kerberos_host": "dc.example"}, "kerberos_host", "dc.example"),
    ],
)
def test_what_variables_say(variables: dict[str, Any], field: str, value: Any) -> None:
    settings = WinrmSettings(verify=value is not False or field != "verify")
    assert getattr(place_of(_host(**variables), settings), field) == value


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"winrm_port": "many"}, "winrm_port is 'many', and a number was expected"),
        ({"winrm_scheme": "ftp"}, "winrm_scheme is 'ftp', and one of https, http was expected"),
        ({"winrm_verify": "perhaps"}, "winrm_verify is 'perhaps', and true or false was expected"),
        ({"ansible_winrm_transport": "certifcate"}, "winrm_auth is 'certifcate'"),
    ],
)
def test_what_cannot_be_is_said(variables: dict[str, Any], words: str) -> None:
    with pytest.raises(TransportError, match=words):
        place_of(_host(**variables), WinrmSettings())


def test_a_way_shows_no_password() -> None:
    credential = Credential(name="c", user="u", password=Secret("hidden-from-all"))
    way = place_of(_host(), WinrmSettings()).way(credential)
    assert way.password == "hidden-from-all"
    assert "hidden" not in repr(way)
    assert "hidden" not in f"{way}"


@pytest.mark.parametrize(
    "credential",
    [
        Credential(name=""),
        Credential(name="c", user="u"),
        Credential(name="c", password=Secret("p")),
        Credential(name="c", user="u", key_file="/key"),
    ],
)
def test_a_password_needs_a_user_and_the_other_way_round(credential: Credential) -> None:
    with pytest.raises(TransportError, match="has no user and password"):
        place_of(_host(), WinrmSettings()).way(credential)


def test_the_means_are_named_with_what_they_need() -> None:
    found = means()
    assert found["ntlm"] == found["basic"] == found["certificate"] == "ready"
    assert set(found) == {"ntlm", "kerberos", "credssp", "certificate", "basic"}
