"""The commands as a person types them: output, errors, exit codes."""

import subprocess
import sys

import pytest

from ipsecsim.scenario import names

pytestmark = pytest.mark.slow


def ipsecsim(*words: str, cwd=None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from ipsecsim.cli import main; main()", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
    )


def test_list_names_every_topology():
    done = ipsecsim("list")
    assert all(name in done.stdout for name in names())


@pytest.mark.parametrize("command", ["", "run", "check", "list", "show", "schema"])
def test_help_is_there_and_shows_examples(command):
    done = ipsecsim(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout
    assert not command or "ipsecsim " + command in done.stdout.split("Example", 1)[1]


def test_an_expectation_that_is_not_met_ends_with_1():
    done = ipsecsim("run", "site_to_site", "--quiet", "--expect", "ping: received 2")
    assert done.returncode == 1
    assert "NOT MET  ping: received 2   found 1" in done.stdout


def test_a_bad_file_ends_with_2_and_no_traceback(tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\nnodes: {a: {kind: hots}}\nlinks: {}\n", encoding="utf-8")
    done = ipsecsim("run", "bad.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "bad.yaml:2:" in done.stderr
    assert "did you mean 'host'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_mistakes_on_the_command_line_name_the_option():
    for words, said in (
        (["--set", "links.wan.dealy=5ms"], "did you mean 'delay'?"),
        (["--set", "links.wan.delay"], "--set links.wan.delay: write --set NAME=VALUE"),
        (["--until", "ten"], "--until ten: 'ten' is no duration"),
        (["--do", "3s pong bob alice"], "--do '3s pong bob alice': unknown verb 'pong'"),
        (["--expect", "ping bob"], "write SUBJECT: CLAIM"),
        (["--param", "x=1"], "there is no parameter 'x'"),
    ):
        done = ipsecsim("run", "site_to_site", *words)
        assert done.returncode == 2, words
        assert said in done.stderr


def test_a_folder_that_cannot_be_is_refused_before_the_run(tmp_path):
    (tmp_path / "taken").touch()
    for out in ("taken", "taken/below"):
        done = ipsecsim("run", "site_to_site", "--out", out, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith(f"--out {out}: ")
        assert "Traceback" not in done.stderr
        assert not done.stdout


def test_html_writes_one_page_that_needs_nothing_else(tmp_path):
    done = ipsecsim("run", "ah_meets_nat", "--quiet", "--html", "ah.html", cwd=tmp_path)
    assert "wrote ah.html" in done.stdout
    page = (tmp_path / "ah.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "src=" not in page.replace("script-src", "").replace("style-src", "").replace("default-src", "")
    done = ipsecsim("run", "ah_meets_nat", "--quiet", "--html", "nowhere/ah.html", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "--html nowhere/ah.html: No such file or directory; name a file that can be written\n",
    )


def test_what_was_written_before_is_no_folder_to_write(tmp_path):
    (tmp_path / "out" / "capture.pcapng").mkdir(parents=True)
    done = ipsecsim("run", "site_to_site", "--quiet", "--out", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "--out out: Is a directory; name a folder that can be written\n",
    )


def test_an_unknown_name_is_answered_with_the_nearest_one():
    assert "did you mean 'site_to_site'?" in ipsecsim("run", "site-to-site").stderr
    assert "`ipsecsim list` names them all" in ipsecsim("show", "nothing").stderr


def test_until_stops_the_run():
    done = ipsecsim("run", "site_to_site", "--until", "500us", "--quiet")
    assert "stopped at 0.000400 s after 3 turns" in done.stdout


def test_check_of_a_folder_is_a_table_with_a_row_for_every_cell_and_what_is_wrong_below(tmp_path):
    good = ipsecsim("show", "site_to_site").stdout
    (tmp_path / "bad.yaml").write_text("name: [\n", encoding="utf-8")
    (tmp_path / "good.yaml").write_text(good + "matrix: {links.wan.mtu: [1500, 1400]}\n", encoding="utf-8")
    (tmp_path / "off.yaml").write_text(good + "expect: {ping: received 2}\n", encoding="utf-8")
    (tmp_path / "golden").mkdir()
    (tmp_path / "golden" / "site_to_site.txt").write_text("another story\n", encoding="utf-8")
    done = ipsecsim("check", "--run", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert "bad.yaml:2:1: this is no YAML" in done.stderr
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert rows[3:8] == [
        "bad.yaml wrong",
        "good.yaml FAULTY 11 0 golden",
        "good.yaml links.wan.mtu=1500 met 11 0",
        "good.yaml links.wan.mtu=1400 met 11 0",
        "off.yaml FAULTY 11 1 golden",
    ]
    assert "line 1 of the golden story is 'another story'" in done.stdout
    assert "NOT MET ping: received 2 found 1" in rows
    assert rows[-1] == "2 of 4 runs are as they should be; 1 of 3 files can't be run"


def test_check_of_what_runs_and_breaks_a_promise_ends_with_1(tmp_path):
    (tmp_path / "off.yaml").write_text(
        ipsecsim("show", "site_to_site").stdout + "expect: {ping: received 2}\n", encoding="utf-8"
    )
    assert ipsecsim("check", "--run", "off.yaml", cwd=tmp_path).returncode == 1


def test_what_check_expand_prints_runs_the_same(tmp_path):
    (tmp_path / "whole.yaml").write_text(
        ipsecsim("check", "--expand", "site_to_site").stdout, encoding="utf-8"
    )
    whole, short = (ipsecsim("run", name, cwd=tmp_path).stdout for name in ("whole.yaml", "site_to_site"))
    assert whole == short


def test_an_interrupted_pipe_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-c", "from ipsecsim.cli import main; main()", "run", "site_to_site"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait()


def test_a_run_that_keeps_nothing_writes_on_the_way_and_says_what_it_does_not_know(tmp_path):
    done = ipsecsim(
        *("run", "behind_nat", "--record", "none", "--jsonl", "trace.jsonl", "--pcapng", "capture.pcapng"),
        cwd=tmp_path,
    )
    assert done.returncode == 0
    assert "leaks not looked for" in done.stdout
    assert "SAD: the SAs that are up" in done.stdout
    assert "need the recording: leave out --record" in done.stdout
    assert "wrote trace.jsonl and capture.pcapng" in done.stdout
    ipsecsim("run", "behind_nat", "--quiet", "--out", "out", cwd=tmp_path)
    assert (tmp_path / "trace.jsonl").read_bytes() == (tmp_path / "out" / "trace.jsonl").read_bytes()
    assert (tmp_path / "capture.pcapng").stat().st_size > 1000


def test_files_out_of_the_recording_need_one():
    done = ipsecsim("run", "behind_nat", "--record", "none", "--out", "out")
    assert done.returncode == 2
    assert "--out needs the whole recording: leave out --record none" in done.stderr


def test_a_script_that_asks_on_the_way_needs_the_recording(tmp_path):
    (tmp_path / "asks.yaml").write_text(
        "name: asks\nextends: site_to_site\nscript: [{at: 2s, expect: {packets layer=esp: 2}}]\n"
    )
    done = ipsecsim("run", "asks.yaml", "--record", "none", cwd=tmp_path)
    assert done.returncode == 2
    assert 'record it with record="all" (--record all)' in done.stderr
