"""A strongSwan of our own to talk to: its files, its daemon as a child process, and swanctl to steer it.

ESP is done in user space by the plugin kernel-libipsec, which speaks ESP in UDP only.
"""

import os
import shutil
from asyncio import sleep
from asyncio.subprocess import Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import SECOND, Duration
from ipsecsim.emulation import vici_text
from ipsecsim.emulation.namespace import Finished, Namespace

DAEMONS = ("/usr/lib/ipsec/charon", "/usr/libexec/ipsec/charon", "/usr/lib/strongswan/charon")
TOOLS = ("swanctl", "ip", "ping", "unshare", "nsenter", "setpriv", "mount")
TUN = Path("/dev/net/tun")
HOW_TO_GET_IT = (
    "apt-get install --no-install-recommends strongswan-charon strongswan-swanctl "
    "libstrongswan-standard-plugins libstrongswan-extra-plugins libcharon-extra-plugins "
    "iproute2 iputils-ping"
)
# kernel-libipsec stands before kernel-netlink: the first plugin that offers to be the kernel is it
PLUGINS = (
    "random nonce pem pkcs1 pkcs8 pubkey x509 revocation constraints "
    "openssl curve25519 chapoly gmp kdf hmac sha1 sha2 md5 aes gcm ccm ctr cmac xcbc "
    "kernel-libipsec kernel-netlink socket-default vici updown"
)
NEEDED_PLUGINS = ("kernel-libipsec", "openssl", "curve25519", "chapoly", "vici", "x509", "pem", "pkcs8")
VICI = "unix:///run/charon.vici"
"""Where it listens for swanctl: in the namespace's own /run, as the daemon's process ID file is."""
_START = 5 * SECOND
_POLL = 0.02
_UNSAFE = frozenset('"{}#\\\r\n')


@dataclass(frozen=True, slots=True)
class PeerConfig:
    """One connection with one child, both called `name`, in swanctl's words and seen from strongSwan.

    `settings` go into strongswan.conf's section `charon`, `options` into the connection, `child_options` into
    every child: AH for example, where `esp_proposals` is empty. `more_children` holds the remote selectors of
    further children by their names, `pools` what stands under the name of an address pool. `local` and `remote`
    go into the authentication rounds. `files` are credentials by their place in swanctl's folder:
    'x509ca/root.pem'.
    """

    local_address: str
    remote_address: str
    local_id: str
    remote_id: str
    secret: str  # where both sides prove themselves by certificates, nobody asks for it
    local_ts: str
    remote_ts: str
    proposals: str
    esp_proposals: str
    name: str = "net"
    options: Mapping[str, str] = field(default_factory=dict)
    child_options: Mapping[str, str] = field(default_factory=dict)
    more_children: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    pools: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=lambda: {"auth": "psk"})
    remote: Mapping[str, str] = field(default_factory=lambda: {"auth": "psk"})
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def swanctl_conf(config: PeerConfig) -> str:
    """The connection, its child and its secret."""
    name = _safe(config.name)
    children = {name: config.remote_ts, **config.more_children}
    lines = [
        "connections {",
        f"  {name} {{",
        "    version = 2",
        *_lines(4, {"local_addrs": config.local_address, "remote_addrs": config.remote_address}),
        *_lines(4, {"proposals": config.proposals, **config.options}),
        "    local {",
        *_lines(6, {**config.local, "id": config.local_id}),
        "    }",
        "    remote {",
        *_lines(6, {**config.remote, "id": config.remote_id}),
        "    }",
        "    children {",
        *(line for child in children.items() for line in _child(config, *child)),
        "    }",
        "  }",
        "}",
        "secrets {",
        f"  ike-{name} {{",
        *_lines(4, {"id-1": config.local_id, "id-2": config.remote_id}),
        f'    secret = "{_safe(config.secret)}"',
        "  }",
        "}",
    ]
    if config.pools:
        pools = [[f"  {_safe(each)} {{", *_lines(4, said), "  }"] for each, said in config.pools.items()]
        lines += ["pools {", *(line for pool in pools for line in pool), "}"]
    return "\n".join(lines) + "\n"


def _child(config: PeerConfig, name: str, remote_ts: str) -> list[str]:
    return [
        f"      {_safe(name)} {{",
        *_lines(8, {"local_ts": config.local_ts, "remote_ts": remote_ts}),
        *_lines(8, {"esp_proposals": config.esp_proposals} if config.esp_proposals else {}),
        *_lines(8, config.child_options),
        "      }",
    ]


def strongswan_conf(config: PeerConfig, log: Path) -> str:
    """What the daemon loads, where it listens for swanctl, and where it writes its log."""
    lines = [
        "charon {",
        *_lines(2, {"load": PLUGINS, **config.settings}),
        "  plugins {",
        f"    vici {{\n      socket = {VICI}\n    }}",
        "  }",
        "  filelog {",
        "    main {",
        *_lines(6, {"path": str(log), "flush_line": "yes", "default": "1", "ike": "2", "cfg": "2"}),
        "    }",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def missing() -> str | None:
    """What a strongSwan peer lacks on this machine and how to get it; None when all is here."""
    lacking = [name for name in TOOLS if shutil.which(name) is None]
    program = daemon()
    if program is None:
        lacking.insert(0, "charon")
    elif (plugins := Path(program).parent / "plugins").is_dir():
        lacking += [name for name in NEEDED_PLUGINS if not (plugins / f"libstrongswan-{name}.so").exists()]
    if lacking:
        return f"strongSwan peer: {', '.join(lacking)} not found; get it with `{HOW_TO_GET_IT}`"
    if not TUN.exists():
        return f"strongSwan peer: {TUN} is not there; kernel-libipsec needs it"
    return None


class StrongSwan:
    """A charon in a namespace, running inside `async with`. `folder` is its own; it writes nowhere else."""

    def __init__(self, config: PeerConfig, folder: Path, namespace: Namespace) -> None:
        self.config = config
        self.log = folder / "charon.log"
        self._folder = folder
        self._namespace = namespace
        self._process: Process | None = None

    async def __aenter__(self) -> "StrongSwan":
        """Write the files, start the daemon and load the connection. Raises LocalError with the log's end."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the daemon."""
        await self.stop()

    async def stop(self) -> None:
        """End the daemon that we started, by its own process ID; harmless when repeated."""
        if self._process is not None:
            await self._namespace.end(self._process)

    async def _start(self) -> None:
        program = daemon()
        if program is None:
            raise LocalError(missing() or "charon is gone")
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "strongswan.conf").write_text(strongswan_conf(self.config, self.log))
        (self._folder / "swanctl.conf").write_text(swanctl_conf(self.config))
        output = self._folder / "charon.out"
        for place, content in self.config.files.items():
            path = self._folder / place
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        self._process = await self._namespace.start(program, environment=self._environment, output=output)
        for _ in range(round(_START / SECOND / _POLL)):
            if self._process.returncode is not None:
                break
            if (await self._swanctl("--stats")).is_good:
                (await self._swanctl("--load-all", "--noprompt")).check()
                return
            await sleep(_POLL)
        raise LocalError(f"charon did not start\n{output.read_text()}\n{self.log_tail()}")

    async def initiate(self, child: str | None = None, *, within: Duration = 5 * SECOND) -> Finished:
        """Let charon begin, and wait until the child is up or has failed."""
        return await self._swanctl("--initiate", "--child", child or self.config.name, within=within)

    async def terminate(self, *, within: Duration = 5 * SECOND) -> Finished:
        """Let charon delete the IKE SA, and wait until it is gone."""
        return await self._swanctl("--terminate", "--ike", self.config.name, within=within)

    async def forget(self) -> None:
        """Let charon forget its IKE SAs; the DELETE that it sends may be lost on the way."""
        (await self._swanctl("--terminate", "--force", "--ike", self.config.name)).check()

    async def terminate_child(self, *, within: Duration = 5 * SECOND) -> Finished:
        """Let charon delete the child only."""
        return await self._swanctl("--terminate", "--child", self.config.name, within=within)

    async def rekey_child(self) -> None:
        """Let charon rekey the child; swanctl does not wait for what comes of it."""
        (await self._swanctl("--rekey", "--child", self.config.name)).check()

    async def rekey_ike(self) -> None:
        """Let charon rekey the IKE SA; swanctl does not wait for what comes of it."""
        (await self._swanctl("--rekey", "--ike", self.config.name)).check()

    async def sas(self) -> list[vici_text.Table]:
        """The connection's IKE SAs as charon lists them, each with its `child-sas`."""
        listed = (await self._swanctl("--list-sas", "--raw")).check()
        found = [
            vici_text.inner(each, self.config.name) for each in vici_text.events(listed.output, "list-sa")
        ]
        return [each for each in found if each]

    async def ping(self, source: str, destination: str, *, count: int = 1, size: int = 56) -> Finished:
        """The system's ping, from the namespace."""
        words = ("ping", "-n", "-i", "0.2", "-W", "2", "-I", source, "-c", str(count), "-s", str(size))
        return await self._namespace.run(*words, destination)

    async def version(self) -> str:
        """Which strongSwan this is."""
        words = (await self._swanctl("--version")).output.split()
        return next((word for word in words if word[:1].isdigit()), "of unknown version")

    def log_text(self) -> str:
        """All that charon wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log_text().splitlines()[-lines:])

    @property
    def _environment(self) -> dict[str, str]:
        folder = str(self._folder)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "STRONGSWAN_CONF": f"{folder}/strongswan.conf",
            "SWANCTL_DIR": folder,
        }

    async def _swanctl(self, *words: str, within: Duration = 5 * SECOND) -> Finished:
        return await self._namespace.run(
            "swanctl", *words, "--uri", VICI, environment=self._environment, within=within
        )


def daemon() -> str | None:
    """Where charon is on this machine."""
    return next((path for path in DAEMONS if Path(path).exists()), None)


def _lines(indent: int, values: Mapping[str, str]) -> list[str]:
    return [f"{'':{indent}}{_safe(key)} = {_safe(value)}" for key, value in values.items()]


def _safe(text: str) -> str:
    """`text` unchanged. Raises LocalError for what would begin something else in a configuration file."""
    if _UNSAFE & set(text):
        raise LocalError(f"{text!r} cannot stand in a configuration file of strongSwan")
    return text
