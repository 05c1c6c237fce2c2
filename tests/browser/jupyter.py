"""A JupyterLab or Notebook server on this machine, and notebooks opened and run in it as a person would."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

HOW_TO_GET_IT = "no JupyterLab and Notebook: pip install -e '.[browser]'"
ROOT = Path(__file__).parents[2]
_STARTS_WITHIN = 60  # seconds
_ENDS_WITHIN = 8


def needs_jupyter() -> pytest.MarkDecorator:
    """The mark of tests that need both hosts. In CI they run whatever happens."""
    is_missing = any(find_spec(each) is None for each in ("jupyterlab", "notebook"))
    return pytest.mark.skipif(is_missing and "CI" not in os.environ, reason=HOW_TO_GET_IT)


@dataclass(frozen=True)
class Server:
    """`url` begins everything that a page of it may ask for."""

    url: str
    token: str
    path: str  # of a notebook, behind the url

    def page_of(self, notebook: str) -> str:
        # without the reset JupyterLab opens what was open before too
        return f"{self.url}{self.path}{notebook}?reset&token={self.token}"


@contextmanager
def serving(host: str, folder: Path) -> Iterator[Server]:
    """A server of `folder`, ended with the block. `host` is 'jupyterlab' or 'notebook'."""
    port, token = _free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m", host, "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None"]
    command += ["--LabApp.extension_manager=readonly", "--JupyterNotebookApp.expose_app_in_browser=True"]
    own = folder.parent / f"{host}_settings"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
    }
    with (folder.parent / f"{host}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            url = f"http://127.0.0.1:{port}/"
            _wait_for(f"{url}api/status?token={token}", process)
            yield Server(url, token, "lab/tree/" if host == "jupyterlab" else "notebooks/")
        finally:
            process.terminate()
            try:
                process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run_all(page, server, notebook):
    """Open a notebook and run all its cells; the page, once the last one has run."""
    page.goto(server.page_of(notebook))
    page.wait_for_function(_READY, timeout=60_000)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(_RAN, timeout=120_000)


def outputs(page):
    """All text that came out of cells, and the names of the errors among it."""
    return page.evaluate(_OUTPUTS)


_PANEL = """
  const widgets = [...window.jupyterapp.shell.widgets('main')];
  const panel = widgets.find((each) => each.sessionContext && each.content?.model);
"""
_READY = f"""() => {{
  if (!window.jupyterapp) return false;
  {_PANEL}
  return Boolean(panel && panel.sessionContext.isReady && panel.content.model.cells?.length);
}}"""
_RAN = f"""() => {{
  {_PANEL}
  const code = [...panel.content.model.cells].filter((each) => each.type === 'code');
  return code.every((each) => each.executionCount > 0 && each.executionState !== 'running')
    && panel.sessionContext.session?.kernel?.status === 'idle';
}}"""
_OUTPUTS = f"""() => {{
  {_PANEL}
  const code = [...panel.content.model.cells].filter((each) => each.type === 'code');
  return code.map((each) => JSON.stringify(each.outputs.toJSON()));
}}"""


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urlopen(url, timeout=2) as answer:  # noqa: S310 - it is ours, on this machine
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the server did not start")
