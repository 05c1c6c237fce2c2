from ipsecsim.base.entropy import SeededEntropy


def test_a_draw_in_one_fork_shifts_no_other():
    quiet, busy = SeededEntropy("7"), SeededEntropy("7")
    busy.fork("nonce").bytes(1000)
    busy.bytes(5)
    assert quiet.fork("spi").bytes(32) == busy.fork("spi").bytes(32)


def test_the_same_label_goes_on_instead_of_repeating():
    entropy = SeededEntropy("7")
    assert entropy.fork("nonce").bytes(16) != entropy.fork("nonce").bytes(16)


def test_how_bytes_are_asked_for_does_not_matter():
    one, other = SeededEntropy("x"), SeededEntropy("x")
    assert one.bytes(100) == b"".join(other.bytes(n) for n in (1, 31, 32, 33, 3))


def test_seeds_and_labels_give_different_streams():
    streams = [
        SeededEntropy("1").bytes(16),
        SeededEntropy("2").bytes(16),
        SeededEntropy("1").fork("a").bytes(16),
        SeededEntropy("1").fork("a").fork("b").bytes(16),
        SeededEntropy("1").fork("ab").bytes(16),
    ]
    assert len(set(streams)) == len(streams)


def test_below_reaches_every_number_and_no_other():
    entropy = SeededEntropy("dice")
    seen = [entropy.below(6) for _ in range(600)]
    assert set(seen) == set(range(6))
    assert all(60 < seen.count(number) < 140 for number in range(6))
    assert SeededEntropy("x").below(1) == 0
