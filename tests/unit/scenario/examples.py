"""Topologies that the tests of the reader start from, and how it refuses what is wrong with one."""

import pytest

from ipsecsim.base.address import Prefix
from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario import read
from ipsecsim.scenario.model_ipsec import SelectorSpec

SITES = """\
name: sites
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  east: {kind: gateway}
  bob: {kind: host}
links:
  left: [alice, west]
  wan: [west, east]
  right: [east, bob]
tunnels:
  net: [west, east]
"""

STAR = """\
name: star
defaults: {link: {delay: 2ms}}
groups: {old: {nodes: [branch2, branch3]}}
nodes:
  pc: {kind: host, count: 3}
  branch: {kind: gateway, count: 3}
  internet: {kind: router}
  hub: {kind: gateway}
  server: {kind: host}
links:
  lan: {endpoints: [pc, branch], net: 10.101.0.0/24}
  access: {endpoints: [branch, internet], delay: 20ms, rate: 20mbit}
  trunk: [internet, hub]
  dc: {endpoints: [hub, server], net: 10.1.0.0/24}
tunnels:
  star: {ends: [branch, hub], child: {esp_proposals: aes128gcm16-x25519, start_action: start}}
script:
  - {at: 5s, do: ping pc server count=10 interval=1s}
  - {at: +1s, do: [ping pc3 server name=last, send pc server, initiate star3, note the end]}
expect: {tunnel star: up 3, ping: lost 0, packets node=old link=access: at least 3, ping pc server: received 10}
until: 15m
"""

DEEP = """\
name: deep
nodes:
  alice: {kind: host}
  inner: {kind: router}
  west: {kind: gateway, routes: [10.77.0.0/16 via=isp]}
  isp: {kind: router}
  bob: {kind: host}
  carol: {kind: host}
links:
  desk: {endpoints: [alice, inner], net: 10.9.0.0/24, addrs: {alice: 10.9.0.77}}
  core: [inner, west]
  wan: {endpoints: [west:outside, isp], delay: 5ms, rate: 10mbit, queue: 64kB, mtu: 1400}
  home: [isp, bob]
  home2: [isp, carol]
tunnels:
  rw:
    ends: [bob, west]
    secret: "tiger #1, $$nat"
    proposals: aes256-sha256-modp2048, aes256gcm-prfsha384-ecp384
    dpd_delay: 10
    child: {esp_proposals: [aes128gcm16, aes256-sha2_256], replay_window: 64}
  two:
    ends: [carol, west]
    encap: yes
    local: {id: carol@example}
    children: {a: {remote_ts: "10.9.0.0/24[tcp/80]", start_action: start}, b: {remote_ts: alice}}
script:
  - do: ping bob alice count=2
  - do: [initiate two, initiate b]
"""

BY_HAND = """\
name: by_hand
seed: 7
until: 30s
look_for: [one, "two: three"]
nodes:
  alice:
    ipsec:
      connections:
        peer:
          remote_addrs: bob
          local: {auth: psk}
          remote: {auth: psk}
          children: {net: {start_action: start, remote_ts: bob}}
      secrets: {ike-1: {id: bob.example, secret: 0x0102ff}}
  bob:
    ipsec:
      connections:
        peer:
          local_addrs: bob
          remote_addrs: alice
          local: {auth: psk}
          remote: {auth: psk, id: any}
          children: {net: {}}
      secrets: {ike: {secret: 0sAQL/}}
links: {lan: [alice, bob]}
script: [do: 'note "hello = there"', {at: 1s, do: send alice bob size=10}]
expect: {tunnel net: up, notify from=alice|bob: none, "packets size>1400": "<= 5"}
"""

MESH = """\
name: mesh
nodes: {gw: {kind: gateway, count: 3}, pc: {count: 3}, core: {kind: router}}
links: {lan: [pc, gw], up: [gw, core]}
tunnels: {mesh: [gw, gw]}
script: [do: ping pc pc3, {at: 2s, do: terminate mesh}]
expect: {tunnel mesh: up 3}
"""

DUAL = """\
name: dual
ip: both
nodes:
  alice: {}
  west: {kind: gateway, routes: [fd00:77::/32 via=east]}
  east: {kind: gateway}
  bob: {}
  carol: {kind: router}
links:
  left: {endpoints: [alice, west], net: fd00:5::/64, addrs: {alice: [10.5.0.9, fd00:5::9]}}
  wan: {endpoints: [west, east], addrs: {east: 2001:db8:7::7}}
  right: [east, bob, carol]
tunnels:
  old_in_new: {ends: [west, east], remote_addrs: 2001:db8:7::7, child: {local_ts: 10.5.0.0/24, remote_ts: bob}}
script:
  - do: [ping alice bob, ping alice bob ip=6, send bob alice ip=4]
"""

SITES_6 = SITES + "ip: 6\n"

KEYED = """\
name: keyed
nodes:
  alice:
    ipsec:
      sas:
        out: {spi: 0x1001, src: alice, dst: bob, esp_proposals: aes256gcm16, key: seed:k1}
        in: {spi: 0x1002, src: bob, dst: alice, esp_proposals: aes256gcm16, key: seed:k2}
      spd:
        - bypass proto=icmp dst=bob
        - protect dst=bob sa=out|in
        - discard dir=in
  bob:
    ipsec:
      sas:
        in: {spi: 0x1001, src: alice, dst: bob, esp_proposals: aes256gcm16, key: seed:k1}
        out: {spi: 0x1002, src: bob, dst: alice, esp_proposals: aes256gcm16, key: seed:k2}
      spd:
        - bypass proto=icmp
        - protect dst=alice sa=out|in
links: {lan: [alice, bob]}
script: [do: ping alice bob]
"""

MIXED = """\
name: mixed
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  east: {kind: gateway}
  north: {kind: gateway}
  bob: {kind: host}
  carol: {kind: host}
  internet: {kind: router}
links:
  left: [alice, west]
  right: [east, bob]
  top: [north, carol]
  a: [west, internet]
  b: [east, internet]
  c: [north, internet]
tunnels:
  net: [west, east]
  hand:
    {ends: [west, north], keying: manual, encap: yes, child: {esp_proposals: aes128-sha256-esn, replay_window: 64}}
script: [do: [ping alice bob, ping alice carol]]
"""
"""A gateway with a tunnel of each kind."""

BOTH = """\
name: both
nodes: {alice: {kind: host}, bob: {kind: host}}
links: {lan: [alice, bob]}
tunnels:
  both:
    ends: [alice, bob]
    keying: manual
    children:
      web: {local_ts: "dynamic[tcp]", remote_ts: "dynamic[tcp/80]", ah_proposals: sha256, copy_df: no}
      rest: {mode: transport, ah_proposals: sha256, esp_proposals: default}
"""

ALL = {
    "dual": DUAL,
    "sites6": SITES_6,
    "sites": SITES,
    "star": STAR,
    "deep": DEEP,
    "by_hand": BY_HAND,
    "mesh": MESH,
    "keyed": KEYED,
    "mixed": MIXED,
    "both": BOTH,
}


def refusal(source: str, **options) -> str:
    """The first line of what the reader has to say against a topology."""
    with pytest.raises(ConfigError) as caught:
        read(source, **options)
    return str(caught.value).splitlines()[0]


def selector(text: str) -> SelectorSpec:
    """A whole network, and nothing else about the packets."""
    network = Prefix.parse(text)
    return SelectorSpec(network.first, network.last)
