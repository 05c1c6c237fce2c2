"""Which names an authority may certify (RFC 5280 4.2.1.10)."""

import ipaddress
from collections.abc import Callable, Iterator
from functools import partial

from cryptography import x509

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.wire.der import identifier
from ipsecsim.wire.distinguished_name import TYPES, Part, is_below, parts

_MAILBOX = identifier(TYPES["E"])
_JUDGED = (x509.DirectoryName, x509.DNSName, x509.RFC822Name, x509.IPAddress)

Kind = type[x509.GeneralName]
LiesIn = Callable[[x509.GeneralName], bool]


def offends(certificate: Certificate, constraints: x509.NameConstraints) -> str:
    """The first name of the certificate that the constraints do not allow; '' when all are allowed."""
    permitted, excluded = constraints.permitted_subtrees or [], constraints.excluded_subtrees or []
    for tree in (*permitted, *excluded):
        if not isinstance(tree, _JUDGED):
            return f"of a kind that nobody here can judge ({type(tree).__name__})"
    for kind, name, lies_in in _names(certificate):
        allowed = [tree for tree in permitted if isinstance(tree, kind)]
        if allowed and not any(map(lies_in, allowed)):
            return name
        if any(lies_in(tree) for tree in excluded if isinstance(tree, kind)):
            return name
    return ""


def _names(certificate: Certificate) -> Iterator[tuple[Kind, str, LiesIn]]:
    """Each name: its kind, its text, and what tells whether it lies in a subtree of that kind."""
    names, subject = certificate.names, certificate.subject_parts
    directories = [parts(each, DropReason.CERT_MALFORMED) for each in names.directories]
    for directory in [subject, *directories] if subject else directories:
        yield x509.DirectoryName, ", ".join(map(str, directory)), partial(_in_directory, directory)
    for host in names.hosts:
        yield x509.DNSName, host, partial(_in_domain, host)
    # RFC 5280 4.2.1.10: a mailbox in the subject counts as one when there are no alternative names
    inside = () if names.mailboxes else tuple(part.value for part in subject if part.type == _MAILBOX)
    for mailbox in (*names.mailboxes, *inside):
        yield x509.RFC822Name, mailbox, partial(_in_mail_domain, mailbox)
    for address in names.addresses:
        where = ipaddress.ip_address(address)
        yield x509.IPAddress, str(where), partial(_in_network, where)


def _in_directory(name: tuple[Part, ...], tree: x509.GeneralName) -> bool:
    assert isinstance(tree, x509.DirectoryName)  # noqa: S101 - trees are asked about their own kind
    return is_below(parts(tree.value.public_bytes(), DropReason.CERT_MALFORMED), name)


def _in_domain(host: str, tree: x509.GeneralName) -> bool:
    """The domain itself, and all below it."""
    assert isinstance(tree, x509.DNSName)  # noqa: S101 - trees are asked about their own kind
    domain = tree.value.lower().lstrip(".")
    host = host.lower()
    return not domain or host == domain or host.endswith(f".{domain}")


def _in_mail_domain(mailbox: str, tree: x509.GeneralName) -> bool:
    """A mailbox, all of a host, or with a dot in front all below a domain."""
    assert isinstance(tree, x509.RFC822Name)  # noqa: S101 - trees are asked about their own kind
    if "@" in tree.value:
        return _split(mailbox) == _split(tree.value)
    host, domain = _split(mailbox)[1], tree.value.lower()
    return host.endswith(domain) if domain.startswith(".") else host == domain


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, tree: x509.GeneralName) -> bool:
    assert isinstance(tree, x509.IPAddress)  # noqa: S101 - trees are asked about their own kind
    network = tree.value
    return isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network) and address in network


def _split(mailbox: str) -> tuple[str, str]:
    """Case counts before the @, and not after it."""
    user, _, host = mailbox.rpartition("@")
    return user, host.lower()
