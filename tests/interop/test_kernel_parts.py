"""What the conversation with a Linux kernel is made of, without the kernel."""

import socket

import pytest

from ipsecsim.base.address import pack
from ipsecsim.crypto.catalogue import ENCRYPTION, INTEGRITY
from ipsecsim.ipsec.association import Mode
from ipsecsim.wire import ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol
from tests.interop.kernel import ethernet, plays, xfrm
from tests.interop.kernel.case import ITS_SPI, OUR_SPI, Case
from tests.interop.kernel.cases import CASES
from tests.interop.kernel.serial_line import Refused, SerialLine

PACKETS = {
    4: ipv4.build(pack("192.0.2.1"), pack("192.0.2.2"), IpProtocol.ESP, b"four"),
    6: ipv6.build(pack("2001:db8::1"), pack("2001:db8::2"), IpProtocol.ESP, b"six"),
}


@pytest.mark.parametrize(("version", "kind"), [(4, "0800"), (6, "86dd")])
def test_frame_to_the_guest_names_its_card_ours_and_the_ip_version(version: int, kind: str) -> None:
    frame = ethernet.frame(PACKETS[version])
    assert frame[:14].hex() == "020000000002" + "020000000001" + kind
    assert frame[14:] == PACKETS[version]


@pytest.mark.parametrize("version", [4, 6])
def test_packet_is_taken_out_of_a_frame_for_us(version: int) -> None:
    frame = ethernet.frame(PACKETS[version])
    assert ethernet.packet_in(frame[6:12] + frame[:6] + frame[12:]) == PACKETS[version]


@pytest.mark.parametrize(
    "frame",
    [
        bytes.fromhex("ffffffffffff 020000000002 0806") + bytes(28),  # ARP to all
        bytes.fromhex("333300000002 020000000002 86dd") + PACKETS[6],  # to all IPv6 routers
        bytes.fromhex("020000000001 020000000002 0806") + bytes(28),
        bytes.fromhex("020000000001 020000000002 0800"),  # and nothing in it
        b"\x02",
        b"",
    ],
)
def test_other_frames_hold_nothing_for_us(frame: bytes) -> None:
    assert ethernet.packet_in(frame) is None


# -- orders ---------------------------------------------------------------------------------------


def test_order_is_over_when_its_end_has_come_whole() -> None:
    line, guest = _line()
    line.begin("ip link")
    assert guest.recv(1000) == (
        b'echo "=== order 1 begins"\n(set -e\nip link\n) </dev/null 2>&1\necho "=== order 1 ends $?"\n'
    )
    parts = ("=== order 1 begins\nlo", None), ("\n=== order 1 ends 0", None), ("\n", "lo\n")
    for part, expected in parts:
        guest.send(part.encode())
        line.listen()
        assert line.result() == expected


def test_output_of_an_order_that_nobody_waits_for_is_not_that_of_the_next() -> None:
    line, guest = _line()
    line.begin("sleep 100")
    line.begin("echo soon")
    guest.send(
        b"=== order 1 begins\nlate\n=== order 1 ends 0\n=== order 2 begins\nsoon\n=== order 2 ends 0\n"
    )
    line.listen()
    assert line.result() == "soon\n"


def test_order_that_fails_is_told_with_its_output() -> None:
    line, guest = _line()
    guest.send(b"=== order 1 begins\nno such device\n=== order 1 ends 127\n")
    with pytest.raises(Refused, match=r"(?s)exit code 127.*ip link.*no such device"):
        line.order("ip link")


def test_guest_that_says_nothing_is_not_waited_for_endlessly() -> None:
    line, _guest = _line(timeout=0.01)
    with pytest.raises(Refused, match="silence"):
        line.order("ip link")


def test_guest_that_has_gone_is_not_waited_for() -> None:
    line, guest = _line()
    guest.close()
    with pytest.raises(Refused, match="gone"):
        line.greeted()


def _line(timeout: float | None = None) -> tuple[SerialLine, socket.socket]:
    ours, its = socket.socketpair()
    ours.settimeout(timeout)
    return SerialLine(ours), its


# -- a case in the words of `ip xfrm` -------------------------------------------------------------


def test_association_in_the_words_of_ip_xfrm() -> None:
    case = Case(
        play=plays.traffic,
        suite="aes256gcm16",
        outer=6,
        inner=4,
        esn=True,
        sequence=0x1_0000_0002,
        in_udp=True,
    )
    ours, its = (case.keys(spi)[0].hex() for spi in (OUR_SPI, ITS_SPI))
    common = "reqid 1 mode tunnel replay-window 64 flag esn af-unspec"
    counters = "replay-seq-hi 1 replay-seq 2 replay-oseq-hi 1 replay-oseq 2"
    encap = "encap espinudp 4500 4500 ::"
    assert xfrm.association(case).splitlines() == [
        "ip -batch - <<'END'",
        "xfrm state flush",
        "xfrm policy flush",
        f"xfrm state add src 2001:db8::1 dst 2001:db8::2 proto esp spi 40961 {common} {counters} "
        f"aead rfc4106(gcm(aes)) 0x{ours} 128 {encap}",
        f"xfrm state add src 2001:db8::2 dst 2001:db8::1 proto esp spi 45057 {common} {counters} "
        f"aead rfc4106(gcm(aes)) 0x{its} 128 {encap}",
        "xfrm policy add src 10.2.0.0/24 dst 10.1.0.0/24 dir out "
        "tmpl src 2001:db8::2 dst 2001:db8::1 proto esp reqid 1 mode tunnel",
        "xfrm policy add src 10.1.0.0/24 dst 10.2.0.0/24 dir in "
        "tmpl src 2001:db8::1 dst 2001:db8::2 proto esp reqid 1 mode tunnel",
        "xfrm policy add src 10.1.0.0/24 dst 10.2.0.0/24 dir fwd "
        "tmpl src 2001:db8::1 dst 2001:db8::2 proto esp reqid 1 mode tunnel",
        "END",
    ]


def test_transport_mode_is_between_the_gateways_and_leaves_esp_in_udp_alone() -> None:
    case = Case(play=plays.traffic, mode=Mode.TRANSPORT, suite="aes256-sha256", in_udp=True)
    policies = [line for line in xfrm.association(case).splitlines() if "policy add" in line]
    assert policies == [
        "xfrm policy add src 192.0.2.2/32 dst 192.0.2.1/32 proto icmp dir out "
        "tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 1 mode transport",
        "xfrm policy add src 192.0.2.1/32 dst 192.0.2.2/32 proto icmp dir in "
        "tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode transport",
    ]


def test_both_directions_have_their_own_keys() -> None:
    for case in CASES.values():
        keys = [case.keys(spi) for spi in (OUR_SPI, ITS_SPI)]
        assert keys[0] != keys[1], case.key


@pytest.mark.parametrize("words", [xfrm.AEADS, xfrm.CIPHERS, xfrm.HASHES])
def test_linux_has_names_for_rows_of_our_catalogue(words: dict[str, str]) -> None:
    assert words.keys() <= {row.name for row in (*ENCRYPTION.values(), *INTEGRITY.values())}
