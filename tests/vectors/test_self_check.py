"""The runner itself: what is damaged on purpose must fail, and what nobody compared must not pass."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vectors import recordings, runner
from tests.vectors.results import Outcome

ROOT = Path(__file__).parents[2]
GOOD_CAPTURE = "ikev2-rekey-pfs-delete"
GOOD_KERNEL_CAPTURES = (
    "kernel/esp-tunnel-ipv4-cbc128-sha256-udpencap",
    "kernel/esp-transport-ipv6-gcm128",
    "kernel/ah-tunnel-ipv4-sha256-esn-wrap",
    "kernel/ah-tunnel-ipv6-sha256",
)

# what keys.json tells about the recording, not about its keys; in a session addresses may change on the way
REMARKS = {"scenario", "doc", "case", "kernel", "ok", "check_skeyseed", "check_sk", "check_keymat"}
ADDRESSES = {"src", "dst"}
# words that name an algorithm or a feature: another word is another one, perhaps not supported yet
NAMES = {
    "algorithms",
    "aead",
    "encr",
    "auth",
    "key_direction",
    "protocol",
    "proto",
    "mode",
    "esn",
    "icv_bits",
}


def first_passing_case_of_each_kind() -> dict[str, dict]:
    found: dict[str, dict] = {}
    for path in sorted(runner.DATA.glob("*.json")):
        for record in json.loads(path.read_text()):
            kind = record["kind"]
            if kind not in found and runner.run_record("", record).outcome is Outcome.PASSED:
                found[kind] = record
    return found


PASSING = first_passing_case_of_each_kind()
ONLY_A_DEMAND = {"must", "use"}  # "reject": there is no value to damage


def damage(value):
    """Something else of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        try:
            octets = bytes.fromhex(value)
        except ValueError:
            return value + "x"
        return (bytes((octets[0] ^ 1,)) + octets[1:]).hex() if octets else "00"
    if isinstance(value, list):
        return value[:-1] if value else [0]
    return {**value, next(iter(value)): None} if value else {"": None}


def test_every_kind_has_a_case_that_passes():
    assert set(PASSING) == set(runner.KINDS)


@pytest.mark.parametrize("kind", PASSING)
def test_each_damaged_expectation_fails(kind):
    for name, value in PASSING[kind]["expected"].items():
        if name in ONLY_A_DEMAND:
            continue
        record = copy.deepcopy(PASSING[kind])
        record["expected"][name] = damage(value)
        result = runner.run_record("", record)
        assert result.outcome is Outcome.FAILED, f"{name} was not compared"


@pytest.mark.parametrize("kind", PASSING)
def test_an_expectation_or_input_that_nobody_looks_at_fails(kind):
    for part in ("expected", "inputs"):
        record = copy.deepcopy(PASSING[kind])
        record[part]["something_new"] = "00"
        result = runner.run_record("", record)
        assert result.outcome is Outcome.FAILED
        assert "something_new" in result.detail


def test_a_case_that_expects_nothing_fails():
    record = copy.deepcopy(PASSING["prf"])
    record["expected"] = {}
    assert runner.run_record("", record).outcome is Outcome.FAILED


def test_a_good_public_value_where_refusal_is_demanded_fails():
    good = PASSING["dh-one-sided"]["inputs"]
    record = copy.deepcopy(PASSING["dh-zero-shared"])
    record["inputs"] = {"group": good["group"], "ke": good["ke_peer"], "private": good["private"]}
    assert runner.run_record("", record).outcome is Outcome.FAILED


def test_an_unknown_kind_is_named_and_does_not_pass():
    result = runner.run_record("", {**PASSING["prf"], "kind": "horoscope"})
    assert (result.outcome, result.detail) == (Outcome.NOT_SUPPORTED, "kind horoscope")


def test_damaged_vectors_from_the_environment_fail(tmp_path, monkeypatch):
    records = json.loads((runner.DATA / "prf.json").read_text())
    (case,) = (each for each in records if each["name"] == "rfc4231-case1-sha256")
    case["expected"]["output"] = damage(case["expected"]["output"])
    (tmp_path / "prf.json").write_text(json.dumps(records))
    (tmp_path / "broken.json").write_text("[{")
    monkeypatch.setenv("IPSECSIM_VECTORS", str(tmp_path))
    failed = {(result.family, result.name) for result in runner.run_all() if result.outcome is Outcome.FAILED}
    family = tmp_path.name
    assert failed == {(f"{family}/prf", "rfc4231-case1-sha256"), (f"{family}/broken", "broken.json")}


@pytest.mark.parametrize("variable", ["IPSECSIM_VECTORS", "IPSECSIM_CAPTURES"])
def test_a_directory_that_is_missing_or_empty_is_an_error(variable, tmp_path, monkeypatch):
    run_all = runner.run_all if variable == "IPSECSIM_VECTORS" else recordings.run_all
    for path in (tmp_path / "absent", tmp_path):
        monkeypatch.setenv(variable, str(path))
        with pytest.raises(FileNotFoundError):
            run_all()


def copied(name: str, target: Path) -> Path:
    shutil.copytree(recordings.CAPTURES / name, target)
    return target


def has_failure(folder: Path) -> bool:
    return any(result.outcome is Outcome.FAILED for result in recordings.run_folder("copy", folder))


@pytest.mark.parametrize("name", [GOOD_CAPTURE, *GOOD_KERNEL_CAPTURES])
def test_every_damaged_packet_of_a_recording_fails(name, tmp_path):
    folder = copied(name, tmp_path / "copy")
    assert not has_failure(folder)
    for path in folder.glob("*.pcap"):
        good = path.read_bytes()
        at = 24
        while at < len(good):
            length = int.from_bytes(good[at + 8 : at + 12], "little")
            start, at = at + 16, at + 16 + length
            # the last octet, one in the middle, and one of each header; Ethernet addresses mean nothing here
            for position in (at - 1, start + length // 2, start + 15, start + 23, start + 40):
                damaged = bytearray(good)
                damaged[position] ^= 0x20
                path.write_bytes(damaged)
                assert has_failure(folder), f"octet {position - start} of a packet of {length}"
        path.write_bytes(good[:24])
        assert has_failure(folder), "no packets"
        path.write_bytes(good[:-1])
        assert has_failure(folder), "cut short"
        path.write_bytes(good)


def leaves(value, left_out, path=()):
    """Every value of keys.json that is a fact to compare, with where it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in left_out:
                yield from leaves(inner, left_out, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, left_out, (*path, number))
    else:
        yield path, value


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        (GOOD_CAPTURE, REMARKS | NAMES | ADDRESSES),
        *((name, REMARKS | NAMES) for name in GOOD_KERNEL_CAPTURES),
    ],
)
def test_every_damaged_key_of_a_recording_fails(name, left_out, tmp_path):
    folder = copied(name, tmp_path / "copy")
    good = json.loads((folder / "keys.json").read_text())
    for path, value in leaves(good, left_out):
        damaged = copy.deepcopy(good)
        inside = damaged
        for step in path[:-1]:
            inside = inside[step]
        inside[path[-1]] = damage(value)
        (folder / "keys.json").write_text(json.dumps(damaged))
        assert has_failure(folder), "/".join(map(str, path))


def test_the_command_fails_on_a_damaged_recording(tmp_path):
    folder = copied(GOOD_CAPTURE, tmp_path / "captures" / "copy")
    damaged = bytearray((folder / "capture.pcap").read_bytes())
    damaged[-1] ^= 1
    (folder / "capture.pcap").write_bytes(damaged)
    for variable, expected in (("IPSECSIM_NOTHING", 0), ("IPSECSIM_CAPTURES", 1)):
        ended = subprocess.run(
            [sys.executable, "-m", "tests.vectors"],
            cwd=ROOT,
            env={**os.environ, variable: str(tmp_path / "captures")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == expected, ended.stdout + ended.stderr
    assert "FAILED captures/copy: 40 INFORMATIONAL response" in ended.stdout
