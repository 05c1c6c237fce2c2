"""What the language documents and the simulator cannot do yet. Whoever builds a thing deletes its row.

A row names a field as table.key. `runs` lists the values that need nothing new, so that saying what is the
case anyway is no error. Verbs, measures and drop reasons have their own columns at the end.
"""

from dataclasses import dataclass

from ipsecsim.scenario.tree import Node, Text


@dataclass(frozen=True, slots=True)
class Later:
    """One thing that comes later. `what` may hold {value}."""

    what: str
    runs: tuple[str, ...] = ()

    def runs_with(self, node: Node) -> bool:
        """True when this value asks for nothing new."""
        return isinstance(node, Text) and node.value in self.runs

    def say(self, node: Node) -> str:
        """The thing, in words."""
        return self.what.format(value=node.value if isinstance(node, Text) else "")


NOT_YET: dict[str, Later] = {
    "node.mss_clamp": Later("MSS clamping (mss_clamp:)", ("no",)),
    "tunnel.via": Later("tunnels through {value}", ("ipsec",)),
    "pool.server": Later("attributes of other makers (server:)"),
    "pool.split_include": Later("attributes of other makers (split_include:)"),
    "pool.split_exclude": Later("attributes of other makers (split_exclude:)"),
    "ipsec.authorities": Later("certification authorities"),
    "secret.file": Later("private keys in files"),
    "connection.version": Later("IKEv{value}", ("2",)),
    "connection.local_port": Later("IKE on another port", ("500",)),
    "connection.remote_port": Later("IKE on another port", ("500",)),
    "connection.aggressive": Later("IKEv1 and its aggressive mode", ("no",)),
    "connection.pull": Later("IKEv1 and its push mode", ("yes",)),
    "connection.dscp": Later("DSCP on IKE packets", ("000000",)),
    "connection.ppk_id": Later("post-quantum pre-shared keys (ppk_id:)"),
    "connection.ppk_required": Later("post-quantum pre-shared keys", ("no",)),
    "connection.tcp_encap": Later("IKE and ESP in TCP", ("never",)),
    "auth.round": Later("several authentication rounds", ("0",)),
    "auth.eap_id": Later("EAP (eap_id:)"),
    "auth.aaa_id": Later("EAP (aaa_id:)"),
    "auth.xauth_id": Later("XAuth (xauth_id:)"),
    "auth.groups": Later("authorisation groups (groups:)"),
    "auth.cert_policy": Later("certificates (cert_policy:)"),
    "auth.ca_id": Later("certificates (ca_id:)"),
    "child.mode": Later("mode: {value}", ("tunnel", "transport")),
    "child.policies": Later("SAs without policies", ("yes",)),
    "child.ipcomp": Later("IPComp", ("no",)),
    "child.priority": Later("priorities of policies", ("0",)),
}
"""By field: what its value asks for."""

NOT_COUNTED: dict[str, Later] = {
    "node.device": Later(
        "what a '{value}' costs is not counted yet: its work takes no time",
        ("ideal", "home_router", "server"),
    ),
}
"""By field: what can be said, and changes nothing in a run. Whoever says it gets a remark."""

AUTH_LATER = ("eap-mschapv2", "eap-tls", "eap-ttls", "eap-md5", "eap", "xauth", "null")
"""Ways to prove oneself that nobody knows yet."""

VERBS_LATER: frozenset[str] = frozenset(
    [
        "bulk",
        "web",
        "inject",
        "flood",
    ]
)
"""Script verbs that nobody performs yet."""

MEASURES_LATER: frozenset[str] = frozenset(["cpu", "energy"])
"""Measures of claims that nobody can take yet."""

SECRETS_LATER: frozenset[str] = frozenset(
    ["eap", "xauth", "ntlm", "ppk", "private", "rsa", "ecdsa", "pkcs8", "pkcs12", "token"]
)
"""Kinds of secrets that nobody asks for yet."""

DROPS_LATER: frozenset[str] = frozenset(
    [
        "LINK_CORRUPT",
        "TCP_PREFIX",
        "TCP_FRAME",
        "TCP_CHECKSUM",
        "STATE_GONE",
        "RATE_LIMIT",
        "NOTIFY_TOO_LONG",
        "EAP_MALFORMED",
        "EAP_STATE_VIOLATION",
        "TLS_MALFORMED",
        "IKE1_UNPROTECTED_NOTIFY",
        "HASH_FAIL",
        "SITUATION_NOT_SUPPORTED",
        "CONFIG_ERROR",
    ]
)
"""Drop reasons whose layer is not there yet; one that has its row in `base.drop_reasons` is known anyway."""

DIAGNOSES_LATER: frozenset[str] = frozenset(
    [
        "PEER_SINGLE_TS",
    ]
)
"""Diagnoses that nothing makes yet."""
