"""A case in the words of `ip xfrm`: the kernel's SAs and policies, and the network it lives in."""

from ipsecsim.base.address import unpack
from ipsecsim.crypto.catalogue import AhSuite, EspSuite
from ipsecsim.ipsec.association import Mode
from ipsecsim.wire.numbers import NAT_T_PORT
from tests.interop.kernel import addresses, ethernet
from tests.interop.kernel.case import ITS_SPI, OUR_SPI, Case

CARD, LAN, SITE = "vec0", "lan", "site"
REPLAY_WINDOW = 64
# What our catalogue calls it, and what Linux does.
AEADS = {
    "aes-gcm-16": "rfc4106(gcm(aes))",
    "aes-gcm-12": "rfc4106(gcm(aes))",
    "aes-gcm-8": "rfc4106(gcm(aes))",
    "aes-ccm-16": "rfc4309(ccm(aes))",
    "aes-ccm-12": "rfc4309(ccm(aes))",
    "aes-ccm-8": "rfc4309(ccm(aes))",
    "aes-gmac": "rfc4543(gcm(aes))",
    "chacha20-poly1305": "rfc7539esp(chacha20,poly1305)",
}
CIPHERS = {
    "aes-cbc": "cbc(aes)",
    "aes-ctr": "rfc3686(ctr(aes))",
    "camellia-cbc": "cbc(camellia)",
    "3des-cbc": "cbc(des3_ede)",
    "des-cbc": "cbc(des)",
    "null": "ecb(cipher_null)",
}
HASHES = {
    "hmac-sha2-256-128": "hmac(sha256)",
    "hmac-sha2-384-192": "hmac(sha384)",
    "hmac-sha2-512-256": "hmac(sha512)",
    "hmac-sha2-256-96": "hmac(sha256)",
    "hmac-sha1-96": "hmac(sha1)",
    "hmac-sha1-160": "hmac(sha1)",
    "hmac-md5-96": "hmac(md5)",
    "hmac-md5-128": "hmac(md5)",
    "aes-xcbc-96": "xcbc(aes)",
    "aes-cmac-96": "cmac(aes)",
}
_NOTHING = ["xfrm state flush", "xfrm policy flush"]
_ICMP = {4: "icmp", 6: "ipv6-icmp"}
# Who owns the socket takes ESP out of UDP: UDP_ENCAP (100) of UDP (17) set to UDP_ENCAP_ESPINUDP (2), see udp(7).
_UDP_PROCESS = "/run/udp-ports"
_UDP_SOCKETS = f"""perl -MSocket=:all -e '
for (pack_sockaddr_in({NAT_T_PORT}, INADDR_ANY), pack_sockaddr_in6({NAT_T_PORT}, IN6ADDR_ANY)) {{
    socket(my $socket, sockaddr_family($_), SOCK_DGRAM, 0) or die $!;
    setsockopt($socket, IPPROTO_IPV6, IPV6_V6ONLY, 1) or die $! if sockaddr_family($_) == AF_INET6;
    bind($socket, $_) or die $!;
    setsockopt($socket, 17, 100, 2) or die $!;
    push @kept, $socket;
}}
if (my $child = fork) {{ print $child }} else {{ close STDOUT; sleep }}' > {_UDP_PROCESS}"""


def network() -> str:
    """What the guest is told once: addresses, our place on the wire, and a host in a namespace behind it."""
    lines = [f"netns add {SITE}", f"link add {LAN} type veth peer name {LAN} netns {SITE}"]
    site = [f"link set {LAN} up"]
    for version in (4, 6):
        length = addresses.LENGTH[version]
        flag = "" if version == 4 else " nodad"
        ours, its = unpack(addresses.OUR_GATEWAY[version]), unpack(addresses.ITS_GATEWAY[version])
        router, host = unpack(addresses.ITS_ROUTER[version]), unpack(addresses.ITS_HOST[version])
        lines += [
            f"addr add {its}/{length} dev {CARD}{flag}",
            f"addr add {router}/{length} dev {LAN}{flag}",
        ]
        site += [f"addr add {host}/{length} dev {LAN}{flag}"]
    lines += [f"link set {name} up" for name in ("lo", CARD, LAN)]
    for version in (4, 6):
        ours, router = unpack(addresses.OUR_GATEWAY[version]), unpack(addresses.ITS_ROUTER[version])
        lines += [
            f"neigh replace {ours} lladdr {ethernet.text(ethernet.OURS)} dev {CARD} nud permanent",
            f"route add {addresses.OUR_SITE[version]} via {ours}",
        ]
        site += [f"route add default via {router}"]
    return "\n".join(
        (
            "cd /proc/sys/net && echo 1 > ipv4/ip_forward && echo 1 > ipv6/conf/all/forwarding",
            batch("ip", lines),
            batch(f"ip -n {SITE}", site),
            _UDP_SOCKETS,
        )
    )


def association(case: Case) -> str:
    """Away with the SAs and policies of the case before, and in with those of this one."""
    return batch("ip", [*_NOTHING, *_states(case), *_policies(case)])


def nothing() -> str:
    """No SA and no policy."""
    return batch("ip", _NOTHING)


def leave_udp_ports() -> str:
    """Let somebody else have these ports."""
    return f"kill $(cat {_UDP_PROCESS})"


def site_mtu(mtu: int) -> str:
    """Both ends of the link behind the gateway take packets of at most `mtu` bytes."""
    return f"ip link set {LAN} mtu {mtu}\nip -n {SITE} link set {LAN} mtu {mtu}"


def batch(program: str, lines: list[str]) -> str:
    """All lines by one process: starting a program is what takes time in the guest."""
    return f"{program} -batch - <<'END'\n" + "\n".join(lines) + "\nEND"


def _states(case: Case) -> list[str]:
    ours, its = unpack(addresses.OUR_GATEWAY[case.outer]), unpack(addresses.ITS_GATEWAY[case.outer])
    return [_state(case, ours, its, OUR_SPI), _state(case, its, ours, ITS_SPI)]


def _state(case: Case, source: str, destination: str, spi: int) -> str:
    words = [
        f"xfrm state add src {source} dst {destination} proto {case.protocol.name.lower()} spi {spi} reqid 1",
        f"mode {case.mode.value} replay-window {REPLAY_WINDOW}",
    ]
    flags = [
        *(["esn"] if case.esn else []),
        *(["align4"] if case.rfc_alignment else []),
        *(["af-unspec"] if case.inner != case.outer else []),
    ]
    if flags:
        words.append(f"flag {' '.join(flags)}")
    if case.sequence:
        high, low = case.sequence >> 32, case.sequence & 0xFFFF_FFFF
        words.append(f"replay-seq-hi {high} replay-seq {low} replay-oseq-hi {high} replay-oseq {low}")
    words.append(_algorithms(case.algorithms, *case.keys(spi)))
    if case.in_udp:
        anyone = "0.0.0.0" if case.outer == 4 else "::"  # noqa: S104 - the original address, of no use here
        words.append(f"encap espinudp {NAT_T_PORT} {NAT_T_PORT} {anyone}")
    return " ".join(words)


def _algorithms(suite: EspSuite | AhSuite, encryption_key: bytes, integrity_key: bytes) -> str:
    words = []
    if isinstance(suite, EspSuite):
        name, key = suite.encryption.name, f"0x{encryption_key.hex()}" if encryption_key else '""'
        if suite.encryption.combined:
            return f"aead {AEADS[name]} {key} {8 * suite.encryption.icv}"
        words.append(f"enc {CIPHERS[name]} {key}")
    integrity = suite.integrity
    assert integrity is not None
    words.append(f"auth-trunc {HASHES[integrity.name]} 0x{integrity_key.hex()} {8 * integrity.icv}")
    return " ".join(words)


def _policies(case: Case) -> list[str]:
    ours, its = unpack(addresses.OUR_GATEWAY[case.outer]), unpack(addresses.ITS_GATEWAY[case.outer])
    template = f"proto {case.protocol.name.lower()} reqid 1 mode {case.mode.value}"
    if case.mode is Mode.TUNNEL:
        our_end, its_end = str(addresses.OUR_SITE[case.inner]), str(addresses.ITS_SITE[case.inner])
        directions, only = ["in", "fwd"], ""
    else:
        bits = addresses.WHOLE[case.outer]
        our_end, its_end, directions = f"{ours}/{bits}", f"{its}/{bits}", ["in"]
        # ESP in UDP must not fall under the policy that it serves
        only = f" proto {_ICMP[case.outer]}" if case.in_udp else ""
    outbound = f"src {its_end} dst {our_end}{only} dir out tmpl src {its} dst {ours} {template}"
    inbound = f"src {our_end} dst {its_end}{only} dir {{}} tmpl src {ours} dst {its} {template}"
    return [f"xfrm policy add {rule}" for rule in (outbound, *(inbound.format(each) for each in directions))]
