"""The files that a strongSwan peer is given, and how what it prints is read. Needs no strongSwan."""

from dataclasses import replace
from pathlib import Path

import pytest

from ipsecsim.base.errors import LocalError
from ipsecsim.emulation import strongswan
from ipsecsim.emulation.strongswan import PeerConfig, missing, strongswan_conf, swanctl_conf
from ipsecsim.emulation.vici_text import events, inner, parse

CONFIG = PeerConfig(
    local_address="192.0.2.2",
    remote_address="192.0.2.1",
    local_id="sun.example",
    remote_id="moon@example.org",
    secret="a secret with blanks",  # noqa: S106 - of a test
    local_ts="10.2.0.0/24",
    remote_ts="10.1.0.0/24",
    proposals="aes256gcm16-prfsha384-ecp384",
    esp_proposals="aes256gcm16",
    options={"dpd_delay": "1s"},
    settings={"cookie_threshold": "1"},
)

SWANCTL = """\
connections {
  net {
    version = 2
    local_addrs = 192.0.2.2
    remote_addrs = 192.0.2.1
    proposals = aes256gcm16-prfsha384-ecp384
    dpd_delay = 1s
    local {
      auth = psk
      id = sun.example
    }
    remote {
      auth = psk
      id = moon@example.org
    }
    children {
      net {
        local_ts = 10.2.0.0/24
        remote_ts = 10.1.0.0/24
        esp_proposals = aes256gcm16
      }
    }
  }
}
secrets {
  ike-net {
    id-1 = sun.example
    id-2 = moon@example.org
    secret = "a secret with blanks"
  }
}
"""

LISTED = (
    "list-sa event {net {uniqueid=1 version=2 state=ESTABLISHED local-host=192.0.2.2 initiator=yes "
    "tasks-active=[CHILD_REKEY IKE_DPD] child-sas {net-1 {name=net state=INSTALLED encap=yes "
    "spi-in=2f96252d spi-out=a9dce716 local-ts=[10.2.0.0/24] remote-ts=[10.1.0.0/24[icmp] 10.3.0.0/24]} "
    "net-2 {name=net state=REKEYED local-ts=[]}}}}"
)


def test_the_connection_is_written_in_swanctls_words():
    assert swanctl_conf(CONFIG) == SWANCTL


def test_pools_stand_behind_the_secrets():
    config = replace(CONFIG, pools={"four": {"addrs": "10.9.0.0/24", "dns": "10.2.0.53"}})
    pools = "pools {\n  four {\n    addrs = 10.9.0.0/24\n    dns = 10.2.0.53\n  }\n}\n"
    assert swanctl_conf(config) == SWANCTL + pools


def test_the_daemon_does_esp_in_user_space_and_listens_in_a_private_place():
    text = strongswan_conf(CONFIG, Path("/tmp/charon.log"))  # noqa: S108 - only text
    assert "  cookie_threshold = 1\n" in text
    assert text.index("kernel-libipsec") < text.index("kernel-netlink")
    assert "socket = unix:///run/charon.vici" in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("trick", ['x"\n}', "a # b", "a { b", "}\nsecrets {", "back\\slash"])
def test_a_value_cannot_begin_something_else(trick: str):
    with pytest.raises(LocalError, match="cannot stand in a configuration file"):
        swanctl_conf(PeerConfig(*[trick] * 9))


def test_a_listing_is_read_as_nested_tables():
    (table,) = events(f"{LISTED}\nlist-sas reply {{}}\n", "list-sa")
    assert inner(table, "net")["state"] == "ESTABLISHED"
    assert inner(table, "net")["tasks-active"] == ["CHILD_REKEY", "IKE_DPD"]
    child = inner(table, "net", "child-sas", "net-1")
    assert (child["spi-in"], child["remote-ts"]) == ("2f96252d", ["10.1.0.0/24[icmp]", "10.3.0.0/24"])
    assert inner(table, "net", "child-sas", "net-2")["local-ts"] == []
    assert inner(table, "net", "nothing", "there") == {}


@pytest.mark.parametrize("broken", ["a {b=1", "a=[1 2", "a=1 }", "word"])
def test_brackets_that_do_not_fit_are_said(broken: str):
    with pytest.raises(LocalError, match="swanctl printed"):
        parse(broken)


def test_a_machine_without_strongswan_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(strongswan, "DAEMONS", ("/nowhere/charon",))
    reason = missing()
    assert reason is not None
    assert "charon" in reason
    assert "apt-get install" in reason
