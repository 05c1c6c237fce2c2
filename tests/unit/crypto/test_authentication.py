"""What AH signs with: the field it makes, and that nothing else is taken for it."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.authentication import IntegrityFailed, make_authentication
from ipsecsim.crypto.catalogue import INTEGRITY


def every_row(function):
    return pytest.mark.parametrize("row", INTEGRITY.values(), ids=lambda row: row.name)(function)


def key_of(row) -> bytes:
    return bytes(range(row.key_length))


@every_row
def test_a_signed_packet_is_accepted_and_every_other_refused(row):
    sender, receiver = (make_authentication(row, key_of(row)) for _ in range(2))
    field = sender.sign(b"data", sender.fresh_iv())
    assert len(field) == sender.icv_length == receiver.icv_length
    receiver.check(b"data", field)
    receiver.check(b"data", memoryview(field))
    wrong = [(b"dato", field), (b"", field), (b"data", field[:-1]), (b"data", field + b"\0"), (b"data", b"")]
    for position in range(len(field)):
        damaged = bytearray(field)
        damaged[position] ^= 0x80
        wrong.append((b"data", bytes(damaged)))
    for data, icv in wrong:
        with pytest.raises(IntegrityFailed) as caught:
            receiver.check(data, icv)
        assert caught.value.reason is DropReason.ICV_FAIL
    receiver.check(b"data", field)


@every_row
def test_a_key_of_another_length_is_the_callers_mistake(row):
    for length in (0, row.key_length - 1, row.key_length + 1):
        with pytest.raises(LocalError, match=f"{row.key_length} bytes of key material, not {length}"):
            make_authentication(row, bytes(length))


@every_row
def test_an_iv_of_another_length_is_the_callers_mistake(row):
    with pytest.raises(LocalError, match="an IV of 12 bytes"):
        make_authentication(row, key_of(row)).sign(b"data", bytes(12))


@pytest.mark.conf("ESP-15")
@pytest.mark.parametrize("number", [9, 10, 11])
def test_gmac_puts_a_counted_iv_before_its_icv(number):
    row = INTEGRITY[number]
    sender = make_authentication(row, key_of(row))
    fields = [sender.sign(b"data", sender.fresh_iv()) for _ in range(300)]
    assert sender.icv_length == 8 + 16
    assert [int.from_bytes(field[:8], "big") for field in fields] == list(range(1, 301))
    assert len({field[8:] for field in fields}) == 300
    assert sender.sign(b"data", fields[0][:8]) == fields[0]
    assert sender.fresh_iv() == (301).to_bytes(8, "big")


def test_xcbc_knows_whole_and_padded_blocks_and_forgets_the_packet_before():
    row = INTEGRITY[5]
    for length in (0, 1, 15, 16, 17, 32, 1400):
        data = bytes(range(251)) * 6
        used, fresh = (make_authentication(row, key_of(row)) for _ in range(2))
        used.sign(b"another packet")
        assert used.sign(data[:length]) == fresh.sign(data[:length])
    padded = make_authentication(row, key_of(row))
    assert padded.sign(b"x") != padded.sign(b"x\x80" + bytes(14))
