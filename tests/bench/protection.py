"""Goals 1 and 2: from the bytes of a plain packet to those of a protected one, against bare ciphers and scapy."""

from collections.abc import Iterator

from ipsecsim.base.address import Prefix, pack
from ipsecsim.crypto.catalogue import WORDS, AhSuite, EspSuite, Integrity
from ipsecsim.ipsec.actions import SendPacket
from ipsecsim.ipsec.association import Direction, SaParameters
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.numbers import IpProtocol
from tests.bench import floors
from tests.bench.measure import Work, interleaved, ratio
from tests.bench.row import Row
from tests.interop import scapy_peer

LENGTH = 1400
WEST, EAST = pack("192.0.2.1"), pack("192.0.2.2")
ALICE, BOB = pack("10.1.0.2"), pack("10.2.0.2")
NETS = (Selector.between(Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/24")),)
BATCH = 200


class Tunnel:
    """Two hosts' IPsec and IP engines with one SA between them, and no network."""

    def __init__(self, words: str) -> None:
        suite = _suite(words)
        mirrored = tuple(Selector(each.remote, each.local) for each in NETS)
        self.west = IpsecEngine([Policy("net", PolicyAction.PROTECT, NETS)])
        self.east = IpsecEngine([Policy("net", PolicyAction.PROTECT, mirrored)])
        for engine, direction, selectors in (
            (self.west, Direction.OUTBOUND, NETS),
            (self.east, Direction.INBOUND, mirrored),
        ):
            self.parameters = SaParameters(
                direction,
                0x1001,
                WEST,
                EAST,
                suite,
                bytes(suite.encryption_key_length),
                bytes(suite.integrity_key_length),
                selectors,
                "net",
            )
            engine.install(self.parameters, 0)

    def seal(self, packet: bytes) -> bytes:
        """From a plain to a protected IP packet."""
        (action,) = self.west.outbound(packet, 0)
        assert isinstance(action, SendPacket)
        return action.packet

    def sealing(self, packet: bytes) -> Work:
        """Seal the same packet so many times."""

        def work(count: int) -> None:
            for _ in range(count):
                self.seal(packet)

        return work

    def opening(self, packet: bytes) -> Work:
        """Open so many packets; they are sealed beforehand and the window is set back, untimed work apart."""
        sealed = [self.seal(packet) for _ in range(BATCH)]
        protocol = self.parameters.protocol
        sa = self.east.sad.inbound(protocol, 0x1001)
        assert sa is not None
        inbound = self.east.inbound

        def work(count: int) -> None:
            done = 0
            while done < count:
                sa.replay.top = sa.replay.seen = 0
                for protected in sealed[: count - done]:
                    ipv4.check(protected)
                    assert inbound(protocol, protected, ipv4.HEADER_LENGTH, 0)
                done += BATCH

        return work


def _suite(words: str) -> EspSuite | AhSuite:
    """Of ESP when a cipher comes first, else of AH."""
    first, _, second = words.partition("-")
    meaning = WORDS[first]
    if isinstance(meaning.row, Integrity):
        return AhSuite(meaning.row)
    return EspSuite(meaning.row, meaning.key_bits, WORDS[second].row if second else None)


PACKET = ipv4.build(ALICE, BOB, IpProtocol.UDP, udp.build(ALICE, BOB, 1, 2, bytes(LENGTH - 28)))


def esp_against_cipher() -> Iterator[Row]:
    """Goal 1: encapsulation and decapsulation at 1400 B against the bare cipher calls."""
    packet = PACKET
    gcm, cbc = Tunnel("aes256gcm16"), Tunnel("aes256-sha256")
    timings = interleaved(
        [
            floors.aesgcm_encrypt(LENGTH),
            gcm.sealing(packet),
            floors.aesgcm_decrypt(LENGTH),
            gcm.opening(packet),
            floors.cbc_sha256(LENGTH, decrypt=False),
            cbc.sealing(packet),
            floors.cbc_sha256(LENGTH, decrypt=True),
            cbc.opening(packet),
        ]
    )
    names = ("ESP-GCM seal", "ESP-GCM open", "ESP-CBC+SHA256 seal", "ESP-CBC+SHA256 open")
    for index, name in enumerate(names):
        floor, work = timings[2 * index], timings[2 * index + 1]
        yield Row(1, f"{name} at {LENGTH} B", ratio(work, floor), 4.0, "cipher calls", work.median * 1e6)


AGAINST_SCAPY = {"ESP-GCM": ("aes256gcm16", 200.0, 60.0), "AH-SHA256": ("sha256", 60.0, 60.0)}
"""By what is measured: the suite, and how many times faster sealing and opening are to be."""


def protection_against_scapy() -> Iterator[Row]:
    """Goal 2: bytes to bytes at 1400 B, against scapy; without scapy there is no row, and that is said."""
    if scapy_peer.missing():
        print(f"SKIPPED goal 2: {scapy_peer.HOW_TO_GET_IT}")
        return
    for name, (words, seal, opened) in AGAINST_SCAPY.items():
        tunnel = Tunnel(words)
        floor_seal, ours_seal, floor_open, ours_open = interleaved(
            [
                floors.scapy_seal(tunnel.parameters, PACKET),
                tunnel.sealing(PACKET),
                floors.scapy_open(tunnel.parameters, tunnel.seal(PACKET)),
                tunnel.opening(PACKET),
            ]
        )
        for verb, floor, work, limit in (
            ("seal", floor_seal, ours_seal, seal),
            ("open", floor_open, ours_open, opened),
        ):
            what = f"{name} {verb} at {LENGTH} B"
            faster = ratio(floor, work)
            yield Row(2, what, faster, limit, "times scapy", work.median * 1e6, more_is_better=True)
