"""The keys under `ipsec:` and `tunnels:`: swanctl's, with their defaults, and a few of ours."""

from ipsecsim.scenario.kinds import Field, ListOf, MapOf, Short, Table, word
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.scalars import (
    ADDRESSES,
    ADDRESSES_4,
    AH_PROPOSALS,
    AH_SUITE,
    ANY_ESP_PROPOSALS,
    AUTH_METHOD,
    BYTES,
    DSCP,
    ESP_PROPOSALS,
    ESP_SUITE,
    FRAGMENT_SIZE,
    IDENTITY,
    IKE_PROPOSALS,
    NETMASK,
    POOL_ADDRS,
    PORT,
    PREFIXES,
    SECONDS,
    SECRET,
    SELECTORS,
    TEXT,
    TEXTS,
    TFC_PADDING,
    WHOLE,
    WINDOW,
    YES_NO,
)
from ipsecsim.scenario.schema_manual import MANUAL_SA, MODE, OPTIONS

AUTH = Table(
    "auth",
    {
        "auth": Field(AUTH_METHOD, "how this side proves who it is", "pubkey"),
        "id": Field(IDENTITY, "its identity; left out: <node>.example"),
        "round": Field(WHOLE, "order among several rounds", "0"),
        "eap_id": Field(TEXT, "the name told in EAP"),
        "aaa_id": Field(TEXT, "the server's name in EAP"),
        "xauth_id": Field(TEXT, "the name told in XAuth"),
        "certs": Field(TEXTS, "the nodes whose certificates to use or accept"),
        "cacerts": Field(TEXTS, "authorities of the lab to accept"),
        "pubkeys": Field(TEXTS, "the nodes whose bare public keys to use or accept"),
        "groups": Field(TEXTS, "groups the peer must be in"),
        "revocation": Field(word("strict", "ifuri", "relaxed"), "what revocation must show", "relaxed"),
        "cert_policy": Field(TEXTS, "policies the certificate must carry"),
        "ca_id": Field(TEXT, "the root's identity"),
    },
)

_UPDOWN = "no scripts run here"
_MARKS = "there is no Netfilter here to set or read marks"
_XFRM = "there are no XFRM interfaces here"
NO_MEANING_CHILD = {
    "updown": _UPDOWN,
    "hostaccess": _UPDOWN,
    "mark_in": _MARKS,
    "mark_in_sa": _MARKS,
    "mark_out": _MARKS,
    "set_mark_in": _MARKS,
    "set_mark_out": _MARKS,
    "if_id_in": _XFRM,
    "if_id_out": _XFRM,
    "label": "there are no SELinux labels here",
    "label_mode": "there are no SELinux labels here",
    "hw_offload": "there is no network card to offload to; see device: for what things cost",
    "reqid": "it is the Linux kernel's handle, and there is no such kernel here",
    "interface": "policies hold for the whole node here",
    "policies_fwd_out": "it is about the Linux kernel's forwarding policies",
    "per_cpu_sas": "a node has one CPU here",
}
NO_MEANING_CONNECTION = {
    **NO_MEANING_CHILD,
    "mediation": "IKE mediation is no standard and not simulated",
    "mediated_by": "IKE mediation is no standard and not simulated",
    "mediation_peer": "IKE mediation is no standard and not simulated",
    "ocsp": "OCSP in IKE is not simulated",
}

ACTION = word("none", "trap", "start")

CHILD = Table(
    "child",
    {
        "esp_proposals": Field(ESP_PROPOSALS, "ESP algorithms, best first", "default"),
        "ah_proposals": Field(
            AH_PROPOSALS, "AH algorithms; ESP is offered beside them only where esp_proposals: is written"
        ),
        "sha256_96": Field(YES_NO, "the draft's truncation of SHA-256", "no"),
        "local_ts": Field(SELECTORS, "what this side protects; left out: its own address"),
        "remote_ts": Field(SELECTORS, "what the other side protects; left out: its address"),
        "mode": Field(word("tunnel", "transport", "beet", "pass", "drop"), "tunnel or transport", "tunnel"),
        "start_action": Field(ACTION, "none: by hand; trap: when traffic asks; start: at once", "none"),
        "close_action": Field(ACTION, "what to do when the peer closes it", "none"),
        "dpd_action": Field(word("clear", "trap", "restart"), "what to do when the peer is dead", "clear"),
        "rekey_time": Field(SECONDS, "when to make new keys; 0: never", "1h"),
        "life_time": Field(SECONDS, "when to give up the keys; left out: rekey_time and 10 %"),
        "rand_time": Field(SECONDS, "up to how much earlier to rekey; left out: life_time - rekey_time"),
        "rekey_bytes": Field(BYTES, "rekey after so much", "0"),
        "life_bytes": Field(BYTES, "give up after so much; left out: rekey_bytes and 10 %"),
        "rand_bytes": Field(BYTES, "up to how much earlier; left out: the difference"),
        "rekey_packets": Field(WHOLE, "rekey after so many", "0"),
        "life_packets": Field(WHOLE, "give up after so many; left out: rekey_packets and 10 %"),
        "rand_packets": Field(WHOLE, "up to how many earlier; left out: the difference"),
        "inactivity": Field(SECONDS, "close after so long without traffic; 0: never", "0s"),
        "replay_window": Field(
            WINDOW, "how far packets may be out of order, 32 to 4096; 0: not checked", "32"
        ),
        "copy_df": Field(YES_NO, "copy Don't Fragment to the outer header", "yes"),
        "copy_ecn": Field(YES_NO, "copy congestion marks", "yes"),
        "copy_dscp": Field(word("out", "in", "yes", "no"), "copy the code point", "out"),
        "tfc_padding": Field(TFC_PADDING, "pad every packet to this size, or mtu", "0"),
        "policies": Field(YES_NO, "whether SPD rules come with the SA", "yes"),
        "ipcomp": Field(YES_NO, "compress before encrypting", "no"),
        "priority": Field(WHOLE, "a fixed place among the policies", "0"),
    },
    refused=NO_MEANING_CHILD,
)

TUNNEL_CHILD = Table(
    "tunnel child",
    {
        key: Field(ANY_ESP_PROPOSALS, member.doc, member.default) if key == "esp_proposals" else member
        for key, member in CHILD.fields.items()
    },
    refused=NO_MEANING_CHILD,
)
"""A child of a tunnel, whoever makes the keys; what of it holds then is checked once that is known."""

MANUAL_CHILD = Table(
    "manual child",
    {
        "esp_proposals": Field(ESP_SUITE, "the ESP algorithms", "default"),
        "ah_proposals": Field(AH_SUITE, "the AH algorithm, around ESP where both are named"),
        "mode": Field(MODE, "tunnel or transport", "tunnel"),
        **{key: CHILD.fields[key] for key in ("local_ts", "remote_ts", "copy_df")},
        **OPTIONS,
    },
    refused=dict.fromkeys(CHILD.fields, "with keying: manual there is nobody to negotiate or rekey")
    | NO_MEANING_CHILD,
)

_ELSEWHERE = {
    key: "it belongs under 'child:'" for key in CHILD.fields if key not in ("rekey_time", "rand_time")
}

CONNECTION_FIELDS: dict[str, Field] = {
    "version": Field(word("1", "2", "0"), "of IKE; swanctl's own default is 0, both", "2"),
    "local_addrs": Field(TEXTS, "own addresses or node names; left out: any of its own"),
    "remote_addrs": Field(
        TEXTS, "the peer's addresses or node names; left out: any peer, which is waited for"
    ),
    "local_port": Field(PORT, "own UDP port", "500"),
    "remote_port": Field(PORT, "the peer's UDP port", "500"),
    "proposals": Field(IKE_PROPOSALS, "IKE algorithms, best first", "default"),
    "vips": Field(ADDRESSES, "virtual addresses to ask for; 0.0.0.0 and :: are any"),
    "pools": Field(TEXTS, "pools to give virtual addresses from"),
    "aggressive": Field(YES_NO, "IKEv1's aggressive mode", "no"),
    "pull": Field(YES_NO, "IKEv1: ask for addresses rather than be told", "yes"),
    "dscp": Field(
        DSCP,
        "code point of IKE packets, six binary digits",
        "000000",
    ),
    "encap": Field(YES_NO, "ESP in UDP even without a NAT", "no"),
    "mobike": Field(YES_NO, "addresses may change (RFC 4555)", "yes"),
    "dpd_delay": Field(SECONDS, "silence after which the peer is asked whether it lives; 0: never", "0s"),
    "dpd_timeout": Field(SECONDS, "IKEv1: how long the peer may stay silent", "0s"),
    "fragmentation": Field(word("yes", "accept", "force", "no"), "IKE fragmentation (RFC 7383)", "yes"),
    "fragment_size": Field(
        FRAGMENT_SIZE,
        "the largest IP datagram of an IKE message before it is cut, 200 at least; 0: 576 B, with IPv6 1280 B",
        "0",
    ),
    "childless": Field(word("allow", "prefer", "force", "never"), "IKE SAs without a child", "allow"),
    "send_certreq": Field(YES_NO, "ask for certificates", "yes"),
    "send_cert": Field(word("always", "never", "ifasked"), "send certificates", "ifasked"),
    "ppk_id": Field(TEXT, "which post-quantum pre-shared key"),
    "ppk_required": Field(YES_NO, "refuse peers without one", "no"),
    "keyingtries": Field(WHOLE, "how often to begin anew; 0: for ever", "1"),
    "unique": Field(word("never", "no", "keep", "replace"), "one IKE SA for each peer", "no"),
    "reauth_time": Field(SECONDS, "when to authenticate anew; 0: never", "0s"),
    "rekey_time": Field(SECONDS, "when to make new keys; 0: never", "4h"),
    "over_time": Field(
        SECONDS, "how long a failed rekey is borne; left out: 10 % of rekey_time or reauth_time"
    ),
    "rand_time": Field(SECONDS, "up to how much earlier to rekey; left out: over_time"),
    "tcp_encap": Field(word("never", "fallback", "always"), "IKE and ESP in TCP (RFC 9329)", "never"),
}
CONNECTION_FAMILIES = {
    "local": Field(AUTH, "how this side proves itself; further rounds are local-2, local-3"),
    "remote": Field(AUTH, "how the peer must prove itself; further rounds are remote-2, remote-3"),
}

CONNECTION = Table(
    "connection",
    {**CONNECTION_FIELDS, "children": Field(MapOf(CHILD), "the child SAs, by name")},
    CONNECTION_FAMILIES,
    NO_MEANING_CONNECTION,
    _ELSEWHERE,
    "connection '{last}'",
)

SECRET_KINDS = ("ike", "eap", "xauth", "ntlm", "ppk", "private", "rsa", "ecdsa", "pkcs8", "pkcs12", "token")


def secret_kind(text: str) -> str:
    """The kind a secret's name begins with: 'ike' of 'ike-net'. Raises Mistake."""
    for kind in SECRET_KINDS:
        rest = text[len(kind) :]
        if text.startswith(kind) and (not rest or rest[0] == "-" or rest.isdigit()):
            return kind
    raise Mistake(f"'{text}': a secret's name begins with its kind; write for example ike-{text}")


SECRETS = Table(
    "secret",
    {
        "secret": Field(SECRET, "text, 0x hexadecimal or 0s Base64"),
        "file": Field(TEXT, "the private key it opens"),
    },
    {"id": Field(TEXT, "whom it belongs to; further ones are id-1, id-3a")},
)
POOL = Table(
    "pool",
    {
        "addrs": Field(POOL_ADDRS, "a network or range to give addresses from"),
        "dns": Field(ADDRESSES, "name servers, told along with the address"),
        "nbns": Field(ADDRESSES_4, "NetBIOS name servers, told along with it"),
        "dhcp": Field(ADDRESSES, "DHCP servers, told along with it"),
        "netmask": Field(NETMASK, "the netmask that goes with it"),
        "subnet": Field(PREFIXES, "networks behind the gateway, told along with it"),
        **{
            key: Field(TEXTS, "an attribute of other makers")
            for key in ("server", "split_include", "split_exclude")
        },
    },
    required=("addrs",),
)
AUTHORITY = Table(
    "authority",
    {
        "cacert": Field(TEXT, "the root"),
        "file": Field(TEXT, "the root's file"),
        "crl_uris": Field(TEXTS, "where revocation lists are"),
        "ocsp_uris": Field(TEXTS, "where OCSP answers are"),
        "cert_uri_base": Field(TEXT, "where certificates are"),
    },
)
IPSEC = Table(
    "ipsec",
    {
        "connections": Field(MapOf(CONNECTION, str), "IKE connections, by name"),
        "secrets": Field(MapOf(SECRETS, secret_kind), "secrets, by kind and name: ike-net, eap-carol"),
        "pools": Field(MapOf(POOL, str), "address pools, by name"),
        "authorities": Field(MapOf(AUTHORITY, str), "certification authorities, by name"),
        "sas": Field(MapOf(MANUAL_SA), "SAs with keys by hand"),
        "spd": Field(
            ListOf(TEXT, "spd is a list of rules", "- protect dst=bob"),
            "rules in order: protect, bypass or discard, then a selector",
        ),
        "keepalive": Field(SECONDS, "interval of NAT keepalives; 0: none", "20s"),
    },
)

TUNNEL = Table(
    "tunnel",
    {
        "ends": Field(
            ListOf(TEXT, "a tunnel is a list of its two ends", "[west, east]", least=2, most=2),
            "two nodes; the first starts it",
        ),
        "auth": Field(AUTH_METHOD, "how both ends prove themselves", "psk"),
        "secret": Field(SECRET, "the shared secret of both ends; left out: made from the seed"),
        "keying": Field(word("ike", "manual"), "by IKE, or keys by hand", "ike"),
        "via": Field(word("ipsec", "tls"), "what carries it", "ipsec"),
        "child": Field(TUNNEL_CHILD, "its only child SA"),
        "children": Field(MapOf(TUNNEL_CHILD), "its child SAs, by name"),
        **CONNECTION_FIELDS,
    },
    CONNECTION_FAMILIES,
    NO_MEANING_CONNECTION,
    _ELSEWHERE | dict.fromkeys(("psk", "password", "key"), "write secret:") | {"endpoints": "write ends:"},
    required=("ends",),
    like="connection",
)
TUNNEL_OR_ENDS = Short(TUNNEL, ListOf(TEXT, least=2, most=2), is_list=True)
