"""What a capture on a gateway shows: a packet socket on a live Linux kernel, and ours made from the recording."""

import os

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.observe.packets.host_capture import Sight, sights
from ipsecsim.scenario import read
from ipsecsim.wire.layers import kind
from tests.interop.kernel import guest as machine

WHY_NOT = machine.missing()
SECONDS = 2  # for the ping, and for what follows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(WHY_NOT is not None and "CI" not in os.environ, reason=WHY_NOT or ""),
]

# A packet socket (17) for every protocol (3, in network order) in east; the kind of each packet's way is the byte
# at 10 of its address, 4 for outgoing: see packet(7).
SOCKET = rf"""perl -e '
    my %names = map {{ /^(\d+): ([^:@]+)/ }} `ip -o link`;
    socket(my $all, 17, 2, 0x0300) or die $!;
    $SIG{{ALRM}} = sub {{ exit }};
    $| = 1;
    alarm {SECONDS};
    while (my $from = recv($all, my $packet, 65535, 0)) {{
        my (undef, $protocol, $card, undef, $way) = unpack "SnLSC", $from;
        next if $protocol != 0x0800;
        print join(" ", $names{{$card}}, $way == 4 ? "out" : "in", ord substr($packet, 9, 1)), "\n";
    }}'"""
PROTOCOLS = {"1": "icmp", "50": "esp"}
KEYS = "enc 'cbc(aes)' 0x" + "11" * 16 + " auth 'hmac(sha1)' 0x" + "22" * 20
WEST, EAST = "192.0.2.1", "192.0.2.2"

TUNNEL = "tunnel", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.2"
TRANSPORT = "transport", WEST, EAST, EAST


def network() -> str:
    """West, east and bob in namespaces; what west says as alice, it says itself."""
    commands = [
        *(f"netns add {name}" for name in ("west", "east", "bob")),
        "link add fibre netns west type veth peer name fibre netns east",
        "link add right netns east type veth peer name right netns bob",
        *(f"-n {name} link set lo up" for name in ("west", "east", "bob")),
        f"-n west addr add {WEST}/24 dev fibre",
        "-n west addr add 10.1.0.2/32 dev lo",
        f"-n east addr add {EAST}/24 dev fibre",
        "-n east addr add 10.2.0.1/24 dev right",
        "-n bob addr add 10.2.0.2/24 dev right",
        "-n west link set fibre up",
        "-n east link set fibre up",
        "-n east link set right up",
        "-n bob link set right up",
        f"-n west route add 10.2.0.0/24 via {EAST} src 10.1.0.2",
        f"-n east route add 10.1.0.0/24 via {WEST}",
        "-n bob route add default via 10.2.0.1",
    ]
    return "\n".join(
        [*(f"ip {each}" for each in commands), "ip netns exec east sysctl -qw net.ipv4.ip_forward=1"]
    )


def associations(mode: str, left: str, right: str) -> str:
    """A pair of SAs at both gateways, in place of those before."""
    ways = [(WEST, EAST, left, right, 0x1001), (EAST, WEST, right, left, 0x1002)]
    lines = []
    for node in ("west", "east"):
        lines += [f"ip -n {node} xfrm state flush", f"ip -n {node} xfrm policy flush"]
        for source, to, inside, beyond, spi in ways:
            sa = f"src {source} dst {to} proto esp"
            lines.append(f"ip -n {node} xfrm state add {sa} spi {spi} reqid 1 mode {mode} {KEYS}")
            directions = ["out"] if (source == WEST) == (node == "west") else ["in", "fwd"]
            lines += [
                f"ip -n {node} xfrm policy add src {inside} dst {beyond} dir {each} tmpl {sa} reqid 1 mode {mode}"
                for each in directions
            ]
    return "\n".join(lines)


def seen_by_linux(
    guest: machine.Guest, mode: str, left: str, right: str, to: str
) -> list[tuple[str, str, str]]:
    """Link, way and kind of each packet of one ping from west, as a packet socket in east has it."""
    ping = f"ip netns exec west ping -c 1 -W 1 {to} > /dev/null"
    guest.line.order(f"{associations(mode, left, right)}\n{ping}")  # whatever asks for neighbours has asked
    seen = guest.line.order(
        f"ip netns exec east {SOCKET} > /run/seen &\nsleep 1\n{ping}\nwait\ncat /run/seen"
    )
    shown = (line.split() for line in seen.splitlines())
    return [(link, way, PROTOCOLS[protocol]) for link, way, protocol in shown]


def seen_by_ours(source: str, node: str) -> list[tuple[str, str, str]]:
    """The same of a run."""
    seen: list[Sight] = list(sights(Run(read(source)).run().lives, node))
    return [(each.link, each.way, kind(each.packet)) for each in seen if kind(each.packet) in ("esp", "icmp")]


def test_a_packet_socket_on_linux_sees_what_ours_does() -> None:
    with machine.running() as guest:
        guest.line.order(network())
        of_tunnel = seen_by_linux(guest, *TUNNEL)
        of_transport = seen_by_linux(guest, *TRANSPORT)
    assert of_tunnel == [
        ("fibre", "in", "esp"),
        ("fibre", "in", "icmp"),  # once more, opened
        ("right", "out", "icmp"),
        ("right", "in", "icmp"),
        ("fibre", "out", "esp"),
    ]
    assert of_transport == [("fibre", "in", "esp"), ("fibre", "out", "esp")]
    assert seen_by_ours("capture_on_gateway", "east") == 2 * of_tunnel
    theirs = seen_by_ours("transport_ike", "bob")
    assert [(way, what) for _, way, what in theirs[:2]] == [(way, what) for _, way, what in of_transport]
