from ipsecsim.ike.credentials import Credentials, SharedSecret
from ipsecsim.ike.identity import Identity
from ipsecsim.wire.ike.numbers import IdType

WEST, EAST, CAROL = (Identity.from_text(name) for name in ("west.example", "east.example", "carol@example"))


def test_identities_are_read_as_people_write_them():
    assert Identity.from_text("192.0.2.1") == Identity(IdType.ID_IPV4_ADDR, bytes((192, 0, 2, 1)))
    assert CAROL.id_type == IdType.ID_RFC822_ADDR
    assert WEST.id_type == IdType.ID_FQDN
    assert [str(each) for each in (WEST, CAROL, Identity.from_text("2001:db8::1"))] == [
        "west.example",
        "carol@example",
        "2001:db8::1",
    ]
    assert str(Identity(IdType.ID_FQDN, b"\xff\x00")) == "\\xff\\x00"


def test_the_secret_that_names_most_of_the_two_wins():
    anybody = SharedSecret("anybody", b"1")
    one = SharedSecret("one", b"2", (EAST,))
    both = SharedSecret("both", b"3", (EAST, WEST))
    other = SharedSecret("other", b"4", (CAROL,))
    assert Credentials([anybody, one, both, other]).shared_secret(WEST, EAST) is both
    assert Credentials([anybody, one, other]).shared_secret(WEST, EAST) is one
    assert Credentials([other, anybody]).shared_secret(WEST, EAST) is anybody
    assert Credentials([other]).shared_secret(WEST, EAST) is None
