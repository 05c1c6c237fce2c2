"""From what a topology says about proofs of identity to keys, certificates and what each end accepts."""

from collections.abc import Iterable

from ipsecsim.base.wall_clock import WallClock
from ipsecsim.crypto.certificate_path import Revocation
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.crypto.signatures import SIGNATURES
from ipsecsim.ike.config import AuthKind, LocalAuth, RemoteAuth, SendCert
from ipsecsim.ike.credentials import Credentials, OwnKey, SharedSecret
from ipsecsim.ike.identity import Identity
from ipsecsim.scenario import model
from ipsecsim.scenario.build_ipsec import connections
from ipsecsim.scenario.lab_pki import KIND_WORDS, Flaw, LabPki
from ipsecsim.scenario.model_ipsec import AuthRound, ConnectionSpec
from ipsecsim.scenario.swanctl.auth import auth_words
from ipsecsim.scenario.tunnels import identity


class Proofs:
    """The keys and certificates of all nodes, issued at once, so that a revocation reaches every node."""

    def __init__(self, topology: model.Topology, seed: str) -> None:
        self._pki = LabPki(seed, KIND_WORDS[topology.pki])
        self._keys: dict[str, list[OwnKey]] = {}
        wanted = self._kinds(topology)
        for node in topology.nodes.values():
            kinds = wanted.get(node.name)
            if kinds:
                names = _identities(node)
                flaw = Flaw(node.cert)
                self._keys[node.name] = [self._pki.own_key(node.name, names, flaw, kind) for kind in kinds]

    def credentials(self, node: model.NodeSpec, clock: WallClock) -> Credentials:
        """All that a node holds: its secrets, the keys it may use, whom it trusts, and its clock."""
        secrets = [] if node.ipsec is None else list(node.ipsec.secrets.values())
        shared = [
            SharedSecret(each.name, each.secret, tuple(map(Identity.from_text, each.ids))) for each in secrets
        ]
        if not self._keys:
            return Credentials(shared, clock=clock)
        borrowed = [name for each in connections(node) for name in each.local.certs + each.local.pubkeys]
        keys = [key for name in dict.fromkeys([node.name, *borrowed]) for key in self._keys.get(name, ())]
        return Credentials(shared, keys, self._pki.known(), clock=clock)

    def local(self, node: model.NodeSpec, connection: ConnectionSpec) -> LocalAuth:
        """How a node proves who it is."""
        said = connection.local
        words = auth_words(said.auth)
        return LocalAuth(
            words.kind,
            words.schemes or SIGNATURES,
            said.certs or said.pubkeys or (node.name,),
            SendCert(connection.send_cert),
            bool(said.pubkeys),
        )

    def remote(self, connection: ConnectionSpec) -> RemoteAuth:
        """How a node wants the peer to prove who it is."""
        said = connection.remote
        words = auth_words(said.auth)
        return RemoteAuth(
            words.kind,
            words.schemes or SIGNATURES,
            tuple(key.certificates[0] for key in self._of(said.certs)),
            self._authorities(said),
            tuple(key.key.public for key in self._of(said.pubkeys)),
            Revocation(said.revocation),
            connection.send_certreq,
        )

    def _of(self, names: Iterable[str]) -> list[OwnKey]:
        return [key for name in names for key in self._keys.get(name, ())]

    def _authorities(self, said: AuthRound) -> tuple[Certificate, ...]:
        return tuple(self._pki.authority(name).certificate for name in said.cacerts)

    def _kinds(self, topology: model.Topology) -> dict[str, dict[KeyKind, None]]:
        """The kinds of keys each node needs: for its own connections, then for others that speak of its key."""
        own: dict[str, dict[KeyKind, None]] = {}
        lent: dict[str, dict[KeyKind, None]] = {}
        for node in topology.nodes.values():
            for each in connections(node):
                kind = _kind(each.local, self._pki.kind)
                if kind is not None:
                    own.setdefault(node.name, {})[kind] = None
                    for name in each.local.certs + each.local.pubkeys:
                        lent.setdefault(name, {})[kind] = None
        return {name: own.get(name, {}) | lent.get(name, {}) for name in {**own, **lent}}


def _kind(said: AuthRound, usual: KeyKind) -> KeyKind | None:
    """The kind of key that makes the signatures asked for: the lab's own where it can; None: no key at all."""
    words = auth_words(said.auth)
    if words.kind is not AuthKind.PUBKEY:
        return None
    able = [kind for row in words.schemes for kind in row.kinds]
    return usual if usual in able else able[0]


def _identities(node: model.NodeSpec) -> list[Identity]:
    """Who a node says it is, on all of its connections, and the name that it has without being told."""
    texts = dict.fromkeys([identity(node.name), *(each.local.id for each in connections(node))])
    return [Identity.from_text(text) for text in texts]
