"""The README is true: its commands run, its file is accepted, its story lines are those of the demo."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ipsecsim.crypto.catalogue import AH_WORDS
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.views import text

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (ipsecsim .*)$", README, re.MULTILINE)
(OWN_FILE,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def ipsecsim(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of the README in `folder`; `> FILE` does what a shell would."""
    command, _, target = line.partition(" > ")
    words = shlex.split(command)
    assert words[0] == "ipsecsim"
    done = subprocess.run(
        [sys.executable, "-c", "from ipsecsim.cli import main; main()", *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if target:
        (folder / target).write_text(done.stdout, encoding="utf-8")
    return done


def test_the_readme_shows_commands():
    assert len(COMMANDS) >= 9


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_runs(line, tmp_path):
    (tmp_path / "my.yaml").write_text(OWN_FILE, encoding="utf-8")
    done = ipsecsim(line, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not done.stderr


def test_the_lines_for_a_notebook_work_and_answer_what_it_says():
    (lines,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    *before, last = lines.strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join(before), names)  # noqa: S102 - the README's own lines
    answer = eval(last, names)  # noqa: S307
    (promised,) = re.findall(r"answers `([A-Z_]+)`", README)
    assert answer.reason == promised


def test_the_files_it_promises_are_written(tmp_path):
    ipsecsim("ipsecsim run site_to_site --out out", tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {
        "out/run.html",
        "out/capture.pcapng",
        "out/trace.jsonl",
        "out/wireshark/profiles/ipsecsim/esp_sa",
    } <= written


def test_the_story_it_quotes_is_the_demos():
    run = Run(read("site_to_site")).run()
    told = "\n".join(text.story(run.recorder))
    quoted = re.findall(r"^    ((?:turn \d|    ).*)$", README, re.MULTILINE)
    assert len(quoted) >= 4
    for line in quoted:
        beginning = line.split(", ...")[0].strip()
        assert beginning in told


@pytest.mark.parametrize("row", ["algorithms", "IKEv2"])
def test_the_algorithms_it_lists_are_there(row):
    (cell,) = re.findall(rf"^\| {row} \| (.*) \|$", README, re.MULTILINE)
    words = re.findall(r"`([a-z0-9_]+)`", cell)
    assert len(words) >= 6
    assert [word for word in words if word not in AH_WORDS] == []
