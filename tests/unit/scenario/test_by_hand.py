"""SAs by hand: keys, directions, modes, and what had better not be."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.instant import SECOND
from ipsecsim.ipsec.association import Direction, Mode
from ipsecsim.ipsec.lifetime import ENDLESS
from ipsecsim.ipsec.tunnel import EcnEntry, OuterDontFragment
from ipsecsim.scenario import read
from ipsecsim.scenario.build_ipsec import by_hand
from tests.unit.scenario.examples import KEYED

SECRET = "0x" + "07" * 36


def keyed(old: str = "", new: str = "", count: int = 1) -> str:
    assert old in KEYED
    return KEYED.replace(old, new, count)


def out(**words: str) -> str:
    """The example with more said about alice's outbound SA."""
    return keyed(
        "key: seed:k1", ", ".join(["key: seed:k1", *(f"{key}: {word}" for key, word in words.items())])
    )


def sas(source: str, node: str = "alice", seed: str = "1"):
    topology = read(source)
    return {each.spi: each for each in by_hand(topology.nodes[node], SeededEntropy(seed))}


def sa(source: str):
    return sas(source)[0x1001]


def warnings(source: str) -> list[str]:
    return [each.message for each in read(source).warnings]


# Keys


def test_a_key_with_a_name_is_the_same_at_both_ends_and_fresh_for_each_seed():
    alice, bob = sas(KEYED), sas(KEYED, "bob")
    for spi in (0x1001, 0x1002):
        assert alice[spi].encryption_key == bob[spi].encryption_key
    assert len(alice[0x1001].encryption_key) == 32 + 4
    assert alice[0x1001].encryption_key != alice[0x1002].encryption_key
    assert alice[0x1001].encryption_key != sas(KEYED, seed="2")[0x1001].encryption_key


def test_a_written_key_is_the_ciphers_then_that_of_the_integrity_check():
    text = keyed("aes256gcm16, key: seed:k1", f"aes128-sha256, key: 0x{'01' * 16}{'02' * 32}")
    pair = keyed(
        "aes256gcm16, key: seed:k1",
        f"aes128-sha256, key: {{encryption: 0x{'01' * 16}, integrity: 0x{'02' * 32}}}",
    )
    for source in (text, pair):
        assert (sa(source).encryption_key, sa(source).integrity_key) == (b"\1" * 16, b"\2" * 32)


def test_inbound_sas_are_installed_first():
    assert [each.direction for each in sas(KEYED).values()] == [Direction.INBOUND, Direction.OUTBOUND]


# What an SA says


def test_left_out_values_are_right_for_keys_by_hand():
    made = sa(KEYED)
    assert (made.source, made.destination) == (pack("10.1.0.1"), pack("10.1.0.2"))
    assert (made.mode, made.replay_window, made.sequence) == (Mode.TRANSPORT, 0, 0)
    assert made.lifetime.hard.duration == made.lifetime.hard.packets == made.lifetime.hard.octets == ENDLESS
    assert made.udp_ports is None
    assert (made.dont_fragment, made.ecn, made.dscp) == (OuterDontFragment.COPY, EcnEntry.NORMAL, None)


def test_everything_else_that_an_sa_says_reaches_it():
    words = {
        "mode": "tunnel",
        "replay_window": "4096",
        "sequence": "41",
        "encap": "yes",
        "dont_fragment": "set",
    }
    words |= {"copy_ecn": "no", "copy_dscp": "in", "tfc_padding": "1kB"}
    words |= {"life_time": "10", "life_bytes": "2kB", "life_packets": "3"}
    made = sa(out(**words))
    assert (made.mode, made.replay_window, made.sequence, made.udp_ports) == (
        Mode.TUNNEL,
        4096,
        41,
        (4500, 4500),
    )
    assert (made.dont_fragment, made.ecn) == (OuterDontFragment.SET, EcnEntry.COMPATIBILITY)
    assert (made.dscp, made.copy_dscp_in, made.tfc_length) == (0, True, 1000)
    hard = made.lifetime.hard
    assert (hard.duration, hard.octets, hard.packets) == (10 * SECOND, 2000, 3)


@pytest.mark.parametrize(
    ("on_sa", "on_rule", "mode"),
    [
        ({}, "", Mode.TRANSPORT),
        ({}, " mode=tunnel", Mode.TUNNEL),
        ({"mode": "tunnel"}, "", Mode.TUNNEL),
        ({"mode": "tunnel"}, " mode=tunnel", Mode.TUNNEL),
    ],
)
def test_an_sa_without_a_mode_is_in_that_of_its_rule(on_sa, on_rule, mode):
    source = out(**on_sa).replace("sa=out|in", f"sa=out|in{on_rule}", 1)
    if on_sa and on_rule:  # a rule speaks for all its SAs
        source = source.replace("key: seed:k2", "key: seed:k2, mode: tunnel", 1)
    assert sa(source).mode is mode


def test_esn_is_a_word_of_the_proposal():
    made = sa(out(replay_window="64").replace("aes256gcm16", "aes256gcm16-esn", 1))
    assert made.extended_sequence
    assert made.suite.words == "aes256gcm16"


def test_an_address_decides_the_ip_version_of_the_name_beside_it():
    source = "ip: both\n" + keyed("dst: bob", "dst: fd00:10:1::2").replace("src: alice", "src: alice", 1)
    assert (sa(source).source, sa(source).destination) == (pack("fd00:10:1::1"), pack("fd00:10:1::2"))


def test_a_gateway_is_known_by_its_address_towards_the_other_end():
    source = """
name: inner
nodes:
  alice: {kind: host, ipsec: {sas: {out: {spi: 256, src: alice, dst: west, ah_proposals: default, key: seed:a}}}}
  west: {kind: gateway}
  east: {kind: gateway}
links: {left: [alice, west], wan: [west, east]}
"""
    made = read(source).nodes["alice"].ipsec.sas["out"]
    assert (made.source, made.destination) == (pack("10.1.0.2"), pack("10.1.0.1"))


# What had better not be


@pytest.mark.parametrize(
    ("source", "warning"),
    [
        (
            keyed("key: seed:k1", f"key: {SECRET}", 2),
            "the same key in every run, and aes256gcm16 never bears the same counter twice (RFC 8221 3); "
            "write key: seed:NAME",
        ),
        (
            keyed("aes256gcm16, key: seed:k1", "aes128ctr-sha256, key: 0x" + "01" * 52, 2),
            "the same key in every run, and aes128ctr-sha256 never bears",
        ),
        (
            keyed(
                "esp_proposals: aes256gcm16, key: seed:k1", "ah_proposals: aes128gmac, key: 0x" + "01" * 20, 2
            ),
            "the same key in every run, and aes128gmac never bears",
        ),
        (out(replay_window="64"), "anti-replay with a key by hand: after a restart the counter begins again"),
        (
            keyed("aes256gcm16", "aes256", 4),
            "aes256 without integrity: anybody can change what it hides (RFC 8221 4)",
        ),
        (
            keyed("aes256gcm16", "des-md5", 4),
            "des-md5 is broken (RFC 8221), and used because this file names it",
        ),
        (out(tfc_padding="500"), "tfc_padding is for tunnel mode"),
        (keyed("sa=out|in", "sa=out"), "no rule of alice under spd names SA 'in', so no traffic uses it"),
        (
            out(mode="tunnel"),
            "SA 'out' of alice is in tunnel mode, and 'in' of bob, with the same SPI, in transport mode",
        ),
        (
            keyed("aes256gcm16", "aes128gcm16"),
            "SA 'out' of alice uses aes128gcm16, and 'in' of bob, with the same SPI, uses aes256gcm16",
        ),
        (
            keyed("seed:k1", "seed:k3"),
            "SA 'out' of alice has one key, and 'in' of bob, with the same SPI, has another",
        ),
        (
            out(replay_window="32").replace("aes256gcm16", "aes256gcm16-esn", 1),
            "SA 'out' of alice has extended sequence numbers, and 'in' of bob, with the same SPI, has not",
        ),
    ],
)
def test_what_looks_like_a_slip_is_told_and_done(source, warning):
    assert any(message.startswith(warning) for message in warnings(source))


@pytest.mark.parametrize("words", ["aes256gcm16", "aes128-sha256", "aes128ctr-sha256", "chacha20poly1305"])
def test_a_sound_sa_needs_no_warning(words):
    assert warnings(keyed("aes256gcm16", words, 4)) == []


def test_a_cbc_key_may_be_written_out_without_a_warning():
    """Its IVs need not be unique, only unpredictable: RFC 8221 3 speaks of counters."""
    assert warnings(keyed("aes256gcm16, key: seed:k1", "aes128-sha256, key: 0x" + "01" * 48, 2)) == []


def test_an_sa_nobody_receives_is_nobodys_mistake():
    alone = KEYED[: KEYED.index("  bob:")] + "  bob: {kind: host}\n" + KEYED[KEYED.index("links:") :]
    assert warnings(alone) == []
