"""`step` fed by a pipe."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PROGRAM = "from ipsecsim.cli import main; import sys; sys.argv = ['ipsecsim', *sys.argv[1:]]; main()"


def stepped(keys: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "step", *arguments],
        input=keys,
        capture_output=True,
        text=True,
        check=False,
    )


def test_keys_from_a_pipe_are_answered_in_order_and_the_end_of_input_ends_it():
    done = stepped("n\nd\nw\n", "psk_mismatch")
    assert done.returncode == 0
    assert done.stderr == ""
    at = [
        done.stdout.index(each)
        for each in ("turn 1 ", "east drops the IKE_AUTH request", "AUTH_PSK_MISMATCH ")
    ]
    assert at == sorted(at)


def test_until_and_seed_and_do_hold():
    done = stepped(
        "g end\nq\n", "site_to_site", "--until", "1us", "--seed", "2", "--do", "5s ping alice bob name=late"
    )
    assert "seed 2" in done.stdout
    assert "turn 1 of 1 " in done.stdout


def test_a_file_that_is_not_there_is_a_sentence_and_code_2():
    done = stepped("", "nowhere")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
