"""How topologies say who proves itself in which way."""

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.crypto.certificate_path import Revocation
from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.crypto.signatures import SIGNATURES
from ipsecsim.ike.config import AuthKind, Connection, SendCert
from ipsecsim.ike.identity import Identity, IdentityPattern
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.scenario import expanded_yaml, read
from ipsecsim.scenario.build import build
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.swanctl.auth import auth_words
from ipsecsim.scenario.swanctl.parse import NotYet
from tests.unit.scenario.examples import SITES


def certs(*lines: str, tunnel: str = "auth: pubkey", nodes: str = "") -> str:
    source = SITES.replace("net: [west, east]", f"net: {{ends: [west, east], {tunnel}}}")
    return source.replace("east: {kind: gateway}", f"east: {{kind: gateway{nodes}}}") + "\n".join(lines)


def gateway(source: str, name: str) -> VpnGateway:
    topology = read(source)
    assert read(expanded_yaml(topology)) == topology
    node = build(topology).simulator.nodes[name]
    assert isinstance(node, VpnGateway)
    return node


def connection(source: str, name: str = "west") -> Connection:
    return gateway(source, name).ike.connections[0]


# -- the words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rsa", ["rsa-sha256", "rsa-sha384", "rsa-sha512"]),
        ("rsa/pss", ["rsa/pss-sha256", "rsa/pss-sha384", "rsa/pss-sha512"]),
        ("rsa-sha512-sha256", ["rsa-sha512", "rsa-sha256"]),
        ("ecdsa-sha384", ["ecdsa-sha384"]),
        ("ed25519", ["ed25519"]),
        ("ed448-ecdsa-sha256", ["ed448", "ecdsa-sha256"]),
        ("ike:rsa/pss-sha256-ike:ed25519", ["rsa/pss-sha256", "ed25519"]),
        ("pubkey-sha384", ["ecdsa-sha384", "rsa/pss-sha384", "rsa-sha384"]),
    ],
)
def test_words_ask_for_signatures(text, words):
    found = auth_words(text)
    assert found.kind is AuthKind.PUBKEY
    assert [row.word for row in found.schemes] == words


def test_the_two_usual_words():
    assert auth_words("psk").kind is AuthKind.PSK
    assert auth_words("pubkey").schemes == SIGNATURES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pubkye", "unknown way to prove oneself: 'pubkye'; did you mean 'pubkey'?"),
        ("sha256", "'sha256' narrows a family of signatures"),
        ("rsa-md5", "unknown way to prove oneself: 'rsa-md5'"),
        ("", "unknown way"),
    ],
)
def test_other_words_are_refused(text, message):
    with pytest.raises(Mistake) as caught:
        auth_words(text)
    assert message in caught.value.message


@pytest.mark.parametrize("text", ["eap-tls", "null", "ecdsa-256-sha256"])
def test_what_is_not_there_yet_says_so(text):
    with pytest.raises(NotYet):
        auth_words(text)


# -- one line, and more of them -----------------------------------------------------------------------


def test_one_word_gives_both_ends_a_certificate_and_no_secret():
    source = certs()
    for name, peer in (("west", "east"), ("east", "west")):
        node = gateway(source, name)
        (made,) = node.ike.connections
        (own,) = node.ike.credentials.keys
        assert (made.local_auth.kind, made.remote_auth.kind) == (AuthKind.PUBKEY, AuthKind.PUBKEY)
        assert own.certificates[0].names.hosts == (f"{name}.example",)
        assert own.key.public.kind is KeyKind.P256
        assert made.remote_id == Identity.from_text(f"{peer}.example")
    assert "secrets: {}" in expanded_yaml(read(source))


def test_the_seed_decides_which_keys_they_are():
    def key(seed: str) -> bytes:
        node = build(read(certs()), seed=seed).simulator.nodes["west"]
        assert isinstance(node, VpnGateway)
        return node.ike.credentials.keys[0].key.public.info

    assert key("1") == key("1") != key("2")


@pytest.mark.parametrize(
    ("line", "tunnel", "kind"),
    [
        ("pki: rsa", "auth: pubkey", KeyKind.RSA),
        ("pki: ed25519", "auth: pubkey", KeyKind.ED25519),
        ("pki: ed25519", "auth: rsa/pss", KeyKind.RSA),
        ("", "auth: ecdsa-sha384", KeyKind.P256),
        ("pki: ecdsa521", "auth: ecdsa-sha384", KeyKind.P521),
        ("", "auth: ed448", KeyKind.ED448),
    ],
)
def test_the_kind_of_key_is_the_labs_where_it_can_make_the_signature(line, tunnel, kind):
    node = gateway(certs(line, tunnel=tunnel), "west")
    assert node.ike.credentials.keys[0].key.public.kind is kind


def test_one_end_may_have_a_secret_and_the_other_a_certificate():
    source = certs(tunnel="local: {auth: psk}, remote: {auth: pubkey}")
    west, east = connection(source, "west"), connection(source, "east")
    assert (west.local_auth.kind, west.remote_auth.kind) == (AuthKind.PSK, AuthKind.PUBKEY)
    assert (east.local_auth.kind, east.remote_auth.kind) == (AuthKind.PUBKEY, AuthKind.PSK)
    assert expanded_yaml(read(source)).count("ike-net: {id-1") == 2


def test_what_a_side_accepts_and_sends():
    source = certs(
        tunnel="auth: pubkey, send_cert: always, send_certreq: no, "
        "remote: {certs: east, cacerts: [issuing, root], revocation: strict}"
    )
    made = connection(source)
    assert made.local_auth.send_cert is SendCert.ALWAYS
    assert not made.remote_auth.send_certreq
    assert made.remote_auth.revocation is Revocation.STRICT
    assert [str(each) for each in made.remote_auth.authorities] == [
        "O=ipsecsim lab, CN=issuing",
        "O=ipsecsim lab, CN=root",
    ]
    (pinned,) = made.remote_auth.certificates
    assert pinned.der == gateway(source, "east").ike.credentials.keys[0].certificates[0].der


def test_bare_keys():
    source = certs(tunnel="auth: pubkey, local: {pubkeys: west}, remote: {pubkeys: east}")
    west, east = connection(source, "west"), connection(source, "east")
    assert west.local_auth.is_raw
    assert east.local_auth.is_raw
    assert (
        west.remote_auth.public_keys[0].info
        == gateway(source, "east").ike.credentials.keys[0].key.public.info
    )


def test_a_stolen_certificate_is_named_by_its_owner():
    source = certs(tunnel="auth: pubkey, local: {certs: east}")
    names = [each.name for each in gateway(source, "west").ike.credentials.keys]
    assert names == ["west", "east"]
    assert connection(source).local_auth.keys == ("east",)


def test_a_group_of_peers_may_be_expected():
    made = connection(certs(tunnel='auth: pubkey, remote: {id: "*.example"}'))
    assert isinstance(made.remote_id, IdentityPattern)
    assert made.expects(Identity.from_text("east.example"))
    assert not made.expects(Identity.from_text("east.example.org"))


def test_where_nothing_is_said_a_connection_wants_certificates_as_swanctl_does():
    source = """\
name: plain
nodes:
  alice: {ipsec: {connections: {bob: {remote_addrs: bob, children: {net: {}}}}}}
  bob: {ipsec: {connections: {alice: {remote_addrs: alice, children: {net: {}}}}}}
links: {wire: [alice, bob]}
"""
    made = connection(source, "alice")
    assert (made.local_auth.kind, made.remote_auth.kind) == (AuthKind.PUBKEY, AuthKind.PUBKEY)


@pytest.mark.parametrize(
    ("tunnel", "message"),
    [
        ("auth: pubkye", "did you mean 'pubkey'?"),
        ("auth: pubkey, remote: {certs: esat}", "certs: no node 'esat'"),
        (
            "auth: pubkey, remote: {cacerts: roto}",
            "cacerts: the lab has no authority 'roto'; did you mean 'root'?",
        ),
        ("auth: pubkey, remote: {pubkeys: [x]}", "pubkeys: no node 'x'"),
        ("auth: pubkey, remote: {revocation: maybe}", "maybe"),
        ("auth: pubkey, send_cert: sometimes", "sometimes"),
        ("auth: pubkey, local: {id: 'CN'}, remote: {id: 'CN=a, b'}", "is no distinguished name"),
        ("auth: pubkey, local: {id: '@#xyz'}", "after @# stand pairs of hexadecimal digits"),
    ],
)
def test_what_can_not_be_is_refused(tunnel, message):
    with pytest.raises(ConfigError) as caught:
        read(certs(tunnel=tunnel))
    assert message in str(caught.value)
    assert str(caught.value).startswith("<text>:")


def test_unknown_words_for_keys_and_flaws_are_refused():
    with pytest.raises(ConfigError, match="ecdsa256"):
        read(certs("pki: ecdsa265"))
    with pytest.raises(ConfigError, match="revoked"):
        read(certs(nodes=", cert: revokde"))
