"""`ipsecsim figure`: the text on standard output, the picture in a file."""

import pytest
from typer.testing import CliRunner

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.app import app

pytestmark = pytest.mark.slow


def test_a_figure_is_written_and_its_text_is_told(tmp_path):
    out = tmp_path / "ladder.svg"
    told = CliRunner().invoke(app, ["figure", "transport_ike", "ladder", "--out", str(out)])
    assert told.exit_code == 0
    assert "IKE_SA_INIT request" in told.output
    assert f"wrote {out}" in told.output
    assert out.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["laddr"], "did you mean 'ladder'"),
        (["ladder", "--out", "ladder.exe"], "end it with .png, .svg, .pdf"),
    ],
)
def test_a_slip_is_named_before_anything_runs(words, remedy):
    told = CliRunner().invoke(app, ["figure", "transport_ike", *words])
    assert isinstance(told.exception, ConfigError)
    assert remedy in str(told.exception)


def test_help_has_examples_and_every_kind():
    told = CliRunner().invoke(app, ["figure", "--help"])
    assert "ipsecsim figure behind_nat topology --out map.svg" in told.output
    assert "throughput" in told.output
