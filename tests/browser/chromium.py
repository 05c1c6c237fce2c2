"""A real Chromium, and what every page in it must keep: no request to another host, no error in the console."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOW_TO_GET_IT = "no Chromium: apt-get install chromium fonts-dejavu-core, and pip install -e '.[browser]'"
HOW_TO_GET_AXE = "no axe-core: npm pack axe-core, unpacked so that IPSECSIM_AXE names its axe.min.js"

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_SWITCHES = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_HARMLESS = ("ResizeObserver loop",)


def needed() -> Any:
    """The mark of a module whose tests need a browser. In CI they run whatever happens."""
    is_missing = CHROMIUM is None or not _has_playwright()
    return pytest.mark.skipif(is_missing and "CI" not in os.environ, reason=HOW_TO_GET_IT)


def _has_playwright() -> bool:
    try:
        import playwright.sync_api
    except ImportError:
        return False
    return bool(playwright.sync_api)


@contextmanager
def browser() -> "Iterator[Browser]":
    """One Chromium, ended with the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=list(_SWITCHES))
        try:
            yield running
        finally:
            running.close()


class Watch:
    """Notes what a page asks of others, and what it complains about."""

    def __init__(self, page: "Page", allowed: str = "") -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self._allowed = allowed
        page.on("request", lambda request: self._asked(request.url))
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._opened)

    def _asked(self, url: str) -> None:
        is_own = url.startswith(("data:", "blob:", "about:", "file:"))
        if not is_own and not (self._allowed and url.startswith(self._allowed)):
            self.requests.append(url)

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and not any(each in text for each in _HARMLESS):
            self.complaints.append(text)

    def _opened(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def assert_quiet(self) -> None:
        """Nothing was asked of anybody else, nothing went wrong, and nothing popped up."""
        assert not self.requests
        assert not self.complaints
        assert not self.dialogs


def axe() -> str:
    """The text of axe-core. Where there is none it is fetched by npm, once; without npm the test says so."""
    named = os.environ.get("IPSECSIM_AXE")
    cached = Path(named) if named else Path.home() / ".cache" / "ipsecsim" / "axe.min.js"
    if not cached.is_file():
        npm = shutil.which("npm")
        if npm is None:
            if "CI" in os.environ:
                pytest.fail(HOW_TO_GET_AXE)
            pytest.skip(HOW_TO_GET_AXE)
        cached.parent.mkdir(parents=True, exist_ok=True)
        _fetch(npm, cached)
    return cached.read_text(encoding="utf-8")


def _fetch(npm: str, target: Path) -> None:
    folder = target.parent
    packed = subprocess.run(
        [npm, "pack", "axe-core@4", "--silent"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()
    archive = folder / packed.splitlines()[-1]
    shutil.unpack_archive(archive, folder / "axe-core", "gztar", filter="data")
    (folder / "axe-core" / "package" / "axe.min.js").replace(target)
    archive.unlink()


def violations(page: "Page", part: str = "html") -> list[str]:
    """What axe finds wrong in a part of the page, a line each."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(axe())  # past the page's own policy, which lets nothing in
    found = json.loads(page.evaluate("part => axe.run(part).then(JSON.stringify)", part))
    return [
        f"{each['id']}: {each['help']} ({node['html'][:160]})"
        for each in found["violations"]
        for node in each["nodes"]
    ]
