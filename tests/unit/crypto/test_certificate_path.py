"""From a certificate to a root: which chains are believed, and what is said of the others."""

from itertools import pairwise

import pytest
from cryptography import x509

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.crypto.certificate_path import (
    EXPIRED,
    LONGEST,
    MOST_TRIES,
    UNTRUSTED,
    Chain,
    Known,
    Revocation,
    believe,
)
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.errors import ChainRefused
from ipsecsim.crypto.issuing import Authority, issue_list
from ipsecsim.crypto.signature_keys import KeyKind
from tests.support.certificates import (
    END,
    NO_SIGNER,
    NOW,
    SIGNER,
    START,
    authority,
    certificate,
    constraints,
    key,
    name,
    network,
    with_sha1,
)

ROOT = authority("root")
BETWEEN = authority("between", "root")
LEAF = certificate("moon", "between", hosts=("moon.example",))
KNOWN = Known(roots=(ROOT,))


def judged(leaf, *sent, known=KNOWN, at=NOW, revocation=Revocation.RELAXED) -> Chain:
    return believe(leaf, sent, known, at, revocation)


def why(leaf, *sent, **options) -> str:
    with pytest.raises(ChainRefused) as caught:
        judged(leaf, *sent, **options)
    assert caught.value.reason is DropReason.CERT_CONSTRAINT
    return f"{caught.value.diagnosis}: {caught.value}"


def test_a_chain_is_believed_until_the_first_of_its_certificates_ends():
    short = authority("between", "root", span=(START, END - 5))
    chain = judged(LEAF, short)
    assert [str(each) for each in chain.certificates] == ["CN=moon", "CN=between", "CN=root"]
    assert chain.not_after == END - 5
    assert judged(certificate("moon", "root")).not_after == END


def test_certificates_on_the_way_may_be_sent_or_known_in_any_order():
    lower = authority("lower", "between")
    leaf = certificate("moon", "lower")
    unrelated = certificate("else", "root")
    assert judged(leaf, unrelated, BETWEEN, lower) == judged(leaf, lower, BETWEEN)
    assert judged(leaf, known=Known((ROOT,), (lower, BETWEEN))) == judged(leaf, lower, BETWEEN)
    assert str(UNTRUSTED) in why(leaf, BETWEEN)


def test_the_root_may_be_sent_too_but_not_a_stranger():
    assert judged(LEAF, BETWEEN, ROOT).certificates[-1] is ROOT
    stranger = authority("stranger")
    assert why(certificate("moon", "stranger"), stranger).startswith(
        f"{UNTRUSTED}: no chain leads from CN=moon"
    )


def test_an_authority_between_may_be_trusted_by_itself():
    assert judged(LEAF, known=Known((BETWEEN,))).certificates == (LEAF, BETWEEN)


def test_a_certificate_that_is_trusted_itself_needs_nobody_above():
    own = certificate("moon")
    assert judged(own, known=Known((own,))).certificates == (own,)
    assert str(UNTRUSTED) in why(own)


def test_a_name_alone_makes_no_chain():
    forged = certificate("moon", "root", signer=key("not the root"))
    assert str(UNTRUSTED) in why(forged)
    namesake = authority("root", own=key("namesake"), signer=key("namesake"))
    signed_by_it = certificate("moon", "root", signer=key("namesake"))
    assert str(UNTRUSTED) in why(signed_by_it, namesake)


@pytest.mark.parametrize(("at", "words"), [(START - 1, "not valid yet"), (END + 1, "no longer valid")])
@pytest.mark.conf("SIG-08")
def test_time_is_up_before_and_after(at, words):
    assert words in why(LEAF, BETWEEN, at=at)
    assert str(EXPIRED) in why(LEAF, BETWEEN, at=at)
    assert judged(LEAF, BETWEEN, at=START).certificates
    assert judged(LEAF, BETWEEN, at=END).certificates


@pytest.mark.conf("SIG-08")
def test_time_is_up_for_every_certificate_of_the_chain():
    old = authority("between", "root", span=(START, NOW - 1))
    assert why(LEAF, old) == f"{EXPIRED}: CN=between is no longer valid"
    assert "CN=root" in why(LEAF, BETWEEN, known=Known((authority("root", span=(START, NOW - 1)),)))


def test_a_good_way_is_found_beside_a_bad_one():
    old = authority("between", "root", span=(START, NOW - 1))
    assert judged(LEAF, old, BETWEEN).certificates[1] is BETWEEN


@pytest.mark.parametrize(
    "between",
    [
        certificate("between", "root"),
        certificate("between", "root", x509.BasicConstraints(False, None)),
        certificate("between", "root", x509.BasicConstraints(True, None), SIGNER),
    ],
    ids=["says nothing", "says no", "its key is not for certificates"],
)
@pytest.mark.conf("SIG-08")
def test_not_everybody_is_an_authority(between):
    assert "CN=between is no authority" in why(LEAF, between)


@pytest.mark.conf("SIG-08")
def test_an_authority_may_have_only_so_many_below_it():
    lower = authority("lower", "between")
    leaf = certificate("moon", "lower")
    none = authority("between", "root", length=0)
    assert "so many authorities below" in why(leaf, lower, none)
    assert judged(leaf, lower, authority("between", "root", length=1)).certificates
    assert judged(LEAF, none).certificates


def test_a_chain_may_be_eight_long_and_no_longer():
    names = ["root", *(f"a{number}" for number in range(LONGEST - 1))]
    links = [authority(below, above) for above, below in pairwise(names)]
    assert len(judged(certificate("moon", names[-2]), *links[:-1]).certificates) == LONGEST
    assert str(UNTRUSTED) in why(certificate("moon", names[-1]), *links)


def test_authorities_that_certify_each_other_lead_nowhere():
    one, two = authority("one", "two"), authority("two", "one")
    assert str(UNTRUSTED) in why(certificate("moon", "one"), one, two)


def test_looking_for_a_way_ends_after_so_many_signatures(monkeypatch):
    tried = []
    original = Certificate.is_signed_by
    monkeypatch.setattr(Certificate, "is_signed_by", lambda self, it: tried.append(it) or original(self, it))
    many = [authority("between", "between", serial=number) for number in range(1, 8)]
    with pytest.raises(ChainRefused):
        judged(LEAF, *many)
    assert len(tried) <= MOST_TRIES


@pytest.mark.conf("SIG-08")
def test_a_key_that_is_not_for_signatures_proves_nobody():
    assert "not for signatures" in why(certificate("moon", "between", NO_SIGNER), BETWEEN)
    assert judged(certificate("moon", "between", SIGNER), BETWEEN).certificates


@pytest.mark.conf("SIG-08")
def test_what_is_critical_must_be_understood():
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0")
    assert "1.2.3.4" in why(certificate("moon", "between", (strange, True)), BETWEEN)
    assert judged(certificate("moon", "between", (strange, False)), BETWEEN).certificates


def test_a_hash_that_can_be_forged_certifies_nothing():
    rsa_root = authority("rsa root", own=key("root", KeyKind.RSA), signer=key("root", KeyKind.RSA))
    leaf = certificate("moon", "rsa root", signer=key("root", KeyKind.RSA))
    assert judged(leaf, known=Known((rsa_root,))).certificates
    weak = with_sha1(leaf, key("root", KeyKind.RSA))
    assert not weak.is_signed_by(rsa_root)
    assert str(UNTRUSTED) in why(weak, known=Known((rsa_root,)))


# -- name constraints ---------------------------------------------------------------------------------


def directory(text: str) -> x509.DirectoryName:
    return x509.DirectoryName(name(text))


@pytest.mark.parametrize(
    ("allowed", "names", "is_good"),
    [
        (x509.DNSName("example.org"), [x509.DNSName("a.example.org")], True),
        (x509.DNSName("example.org"), [x509.DNSName("EXAMPLE.org")], True),
        (x509.DNSName("example.org"), [x509.DNSName("evilexample.org")], False),
        (x509.DNSName("example.org"), [x509.DNSName("a.example.org"), x509.DNSName("b.example")], False),
        (x509.DNSName("example.org"), [x509.RFC822Name("a@other.example")], True),
        (x509.RFC822Name("example.org"), [x509.RFC822Name("a@example.org")], True),
        (x509.RFC822Name("example.org"), [x509.RFC822Name("a@b.example.org")], False),
        (x509.RFC822Name(".example.org"), [x509.RFC822Name("a@b.example.org")], True),
        (x509.RFC822Name(".example.org"), [x509.RFC822Name("a@example.org")], False),
        (x509.RFC822Name("a@example.org"), [x509.RFC822Name("a@Example.org")], True),
        (x509.RFC822Name("a@example.org"), [x509.RFC822Name("b@example.org")], False),
        (network("10.1.0.0/16"), [x509.IPAddress(network("10.1.2.3/32").value.network_address)], True),
        (network("10.1.0.0/16"), [x509.IPAddress(network("10.2.2.3/32").value.network_address)], False),
        (network("10.1.0.0/16"), [x509.IPAddress(network("2001:db8::1/128").value.network_address)], False),
        (directory("moon"), [x509.DNSName("a.example")], True),
        (directory("sun"), [x509.DNSName("a.example")], False),
        (x509.UniformResourceIdentifier("example.org"), [x509.DNSName("a.example")], False),
    ],
)
@pytest.mark.hos("HOS-75")
@pytest.mark.conf("SIG-08")
def test_an_authority_certifies_only_the_names_it_may(allowed, names, is_good):
    between = authority("between", "root", constraints(permitted=[allowed]))
    leaf = certificate("moon", "between", (x509.SubjectAlternativeName(names), False))
    if is_good:
        assert judged(leaf, between).certificates
    else:
        assert "may not certify the name" in why(leaf, between)


@pytest.mark.conf("SIG-08")
def test_excluded_names_are_excluded_for_all_below():
    top = authority("root", "", constraints(excluded=[x509.DNSName("secret.example")]))
    known = Known((top,))
    assert "a.secret.example" in why(
        certificate("moon", "between", hosts=("a.secret.example",)), BETWEEN, known=known
    )
    assert judged(certificate("moon", "between", hosts=("a.example",)), BETWEEN, known=known).certificates


def test_a_mailbox_in_the_subject_counts_where_there_are_no_other_names():
    subject = x509.Name([x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, "a@evil.example")])
    between = authority("between", "root", constraints(permitted=[x509.RFC822Name("example.org")]))
    assert "a@evil.example" in why(certificate(subject, "between"), between)


# -- revocation ---------------------------------------------------------------------------------------

ROOTS_AUTHORITY, BETWEENS_AUTHORITY = Authority(ROOT, key("root")), Authority(BETWEEN, key("between"))
FRESH_ROOT = issue_list(ROOTS_AUTHORITY, [], number=1, this_update=START, next_update=END)
DUE = NOW + 10
FRESH = issue_list(BETWEENS_AUTHORITY, [99], number=1, this_update=START, next_update=DUE)


def known_with(*lists) -> Known:
    return Known((ROOT,), lists=lists)


def test_a_chain_is_believed_until_the_next_list_is_due():
    assert judged(LEAF, BETWEEN, known=known_with(FRESH, FRESH_ROOT)).not_after == DUE


@pytest.mark.parametrize("revocation", Revocation)
@pytest.mark.conf("SIG-08")
def test_who_stands_on_a_list_is_refused_however_little_is_asked(revocation):
    bad = issue_list(BETWEENS_AUTHORITY, [1], number=2, this_update=START, next_update=NOW - 1)
    known = known_with(FRESH, FRESH_ROOT, bad)
    assert why(LEAF, BETWEEN, known=known, revocation=revocation) == f"{UNTRUSTED}: CN=moon was revoked"
    above = issue_list(ROOTS_AUTHORITY, [1], number=2, this_update=START, next_update=END)
    assert "CN=between was revoked" in why(
        LEAF, BETWEEN, known=known_with(FRESH, above), revocation=revocation
    )


@pytest.mark.conf("SIG-08")
def test_strictly_every_certificate_needs_a_fresh_list():
    strict = Revocation.STRICT
    assert judged(LEAF, BETWEEN, known=known_with(FRESH, FRESH_ROOT), revocation=strict).certificates
    assert "about CN=moon" in why(LEAF, BETWEEN, known=known_with(FRESH_ROOT), revocation=strict)
    assert "about CN=between" in why(LEAF, BETWEEN, known=known_with(FRESH), revocation=strict)
    old = issue_list(BETWEENS_AUTHORITY, [], number=1, this_update=START, next_update=NOW - 1)
    early = issue_list(BETWEENS_AUTHORITY, [1], number=1, this_update=NOW + 1, next_update=END)
    for useless in (old, early):
        known = known_with(FRESH_ROOT, useless)
        assert "about CN=moon" in why(LEAF, BETWEEN, known=known, revocation=strict)
        assert judged(LEAF, BETWEEN, known=known).certificates


def test_a_list_of_somebody_else_says_nothing():
    forged = issue_list(Authority(BETWEEN, key("forger")), [1], number=1, this_update=START, next_update=END)
    assert judged(LEAF, BETWEEN, known=known_with(forged)).certificates
    no_lists = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
    mute = certificate("between", "root", x509.BasicConstraints(True, None), no_lists)
    its_own = issue_list(BETWEENS_AUTHORITY, [1], number=1, this_update=START, next_update=END)
    assert judged(LEAF, mute, known=known_with(its_own)).certificates


@pytest.mark.hos("HOS-68")
def test_a_certificate_that_names_a_list_wants_one_and_nothing_is_fetched():
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://127.0.0.1/list")], None, None, None
    )
    leaf = certificate("moon", "between", (x509.CRLDistributionPoints([point]), False))
    if_uri = Revocation.IF_URI
    assert judged(leaf, BETWEEN).certificates
    assert judged(LEAF, BETWEEN, revocation=if_uri).certificates
    assert "no fresh revocation list" in why(leaf, BETWEEN, revocation=if_uri)
    assert judged(leaf, BETWEEN, known=known_with(FRESH), revocation=if_uri).certificates
