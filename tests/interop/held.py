"""What the two sides of a case prove themselves with: a secret, or certificates of the lab."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ipsecsim.base.wall_clock import WallClock
from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.ike.config import AuthKind, LocalAuth, RemoteAuth
from ipsecsim.ike.credentials import Credentials, SharedSecret
from ipsecsim.ike.identity import Identity
from ipsecsim.scenario.lab_pki import Flaw, LabPki
from ipsecsim.scenario.swanctl.auth import auth_words

BY_SECRET = {"auth": "psk"}


@dataclass(frozen=True)
class CertificateProof:
    """Both sides have certificates of the lab, and make the signatures that `words` ask for."""

    words: str = "pubkey"
    kind: KeyKind = KeyKind.P256
    our_flaw: Flaw = Flaw.GOOD
    peer_flaw: Flaw = Flaw.GOOD


@dataclass(frozen=True)
class Held:
    """Our own credentials and how we use them; charon's two rounds and the files that belong to them."""

    ours: Credentials
    local_auth: LocalAuth = field(default_factory=LocalAuth)
    remote_auth: RemoteAuth = field(default_factory=RemoteAuth)
    peer_local: Mapping[str, str] = field(default_factory=lambda: BY_SECRET)
    peer_remote: Mapping[str, str] = field(default_factory=lambda: BY_SECRET)
    files: Mapping[str, bytes] = field(default_factory=dict)


def by_secret(secret: str) -> Held:
    """A shared secret."""
    return Held(Credentials([SharedSecret("ike", secret.encode())]))


def by_certificate(proof: CertificateProof, our_id: str, peer_id: str) -> Held:
    """Certificates that are issued now, since charon knows no other time."""
    start = int(time.time())
    pki = LabPki("interop", proof.kind, start)
    ours = pki.own_key("ours", [Identity.from_text(our_id)], proof.our_flaw)
    charons = pki.own_key("charon", [Identity.from_text(peer_id)], proof.peer_flaw)
    known = pki.known()
    words = auth_words(proof.words)
    for_ike = f"ike:{proof.words}"  # else charon would ask for it in certificates too
    files = {
        "x509ca/root.pem": pki.root.certificate.pem,
        "x509/charon.pem": charons.certificates[0].pem,
        "private/charon.pem": charons.key.pem,
    }
    files |= {f"x509/above-{n}.pem": each.pem for n, each in enumerate(charons.certificates[1:-1])}
    files |= {f"x509crl/{n}.pem": each.pem for n, each in enumerate(known.lists)}
    return Held(
        Credentials([], [ours], known, clock=WallClock(start)),
        LocalAuth(words.kind, words.schemes),
        RemoteAuth(AuthKind.PUBKEY, words.schemes),
        {"auth": for_ike, "certs": "charon.pem"},
        {"auth": for_ike},
        files,
    )
