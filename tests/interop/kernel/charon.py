"""A charon inside the guest: IKE by strongSwan, ESP and AH by the kernel beside it."""

from pathlib import Path

from ipsecsim.base.address import unpack
from ipsecsim.emulation import strongswan
from ipsecsim.emulation.strongswan import PeerConfig, strongswan_conf, swanctl_conf
from ipsecsim.ipsec.association import Mode
from ipsecsim.wire.numbers import IpProtocol
from tests.interop.kernel import addresses, xfrm
from tests.interop.kernel.case import IkeCase

NAME = "net"
OUR_ID, ITS_ID = "ours.example", "charon.example"
SECRET = "the same on both sides"  # noqa: S105 - of a test
IKE = "aes128gcm16-prfsha256-x25519"
FOLDER = "/run/swanctl"  # the guest's own, in its memory
_ENVIRONMENT = f"SWANCTL_DIR={FOLDER} STRONGSWAN_CONF={FOLDER}/strongswan.conf"
# without kernel-libipsec: here charon gives its SAs to the kernel
PLUGINS = " ".join(name for name in strongswan.PLUGINS.split() if name != "kernel-libipsec")


def config(case: IkeCase) -> PeerConfig:
    """The connection, seen from charon."""
    ours, its = ends(case)
    options = {"mode": case.mode.value, **({"ah_proposals": case.proposal} if _is_ah(case) else {})}
    return PeerConfig(
        local_address=unpack(addresses.ITS_GATEWAY[case.outer]),
        remote_address=unpack(addresses.OUR_GATEWAY[case.outer]),
        local_id=ITS_ID,
        remote_id=OUR_ID,
        secret=SECRET,
        local_ts=its,
        remote_ts=ours,
        proposals=IKE,
        esp_proposals="" if _is_ah(case) else case.proposal,
        name=NAME,
        options={"encap": "yes"} if case.in_udp else {},
        child_options=options,
        settings={"load": PLUGINS},
    )


def ends(case: IkeCase) -> tuple[str, str]:
    """What the child is for, at our side and at charon's."""
    if case.mode is Mode.TUNNEL:
        return str(addresses.OUR_SITE[case.inner]), str(addresses.ITS_SITE[case.inner])
    bits = addresses.WHOLE[case.outer]
    ours, its = addresses.OUR_GATEWAY[case.outer], addresses.ITS_GATEWAY[case.outer]
    return f"{unpack(ours)}/{bits}", f"{unpack(its)}/{bits}"


def start(case: IkeCase) -> str:
    """Begin anew: no SAs, the case's files, and a charon that has read them.

    To start it takes long. It stays for the next case, and takes ESP out of UDP for those that do without it.
    """
    peer = config(case)
    files = {
        f"{FOLDER}/swanctl.conf": swanctl_conf(peer),
        f"{FOLDER}/strongswan.conf": strongswan_conf(peer, Path(FOLDER) / "charon.log"),
    }
    wait = f"for i in $(seq 200); do {_swanctl('--stats')} && break; sleep 0.05; done"
    begin = (
        f"{_ENVIRONMENT} {strongswan.daemon()} > {FOLDER}/charon.out 2>&1 &\necho $! > {FOLDER}/pid\n{wait}"
    )
    return "\n".join(
        (
            xfrm.nothing(),
            f"mkdir -p {FOLDER}",
            *(f"cat > {path} <<'END'\n{text}END" for path, text in files.items()),
            f"if test -e {FOLDER}/pid; then {_swanctl('--terminate', '--force', '--ike', NAME)} || true",
            f"else {xfrm.leave_udp_ports()}\n{begin}\nfi",
            tell("--load-all", "--noprompt"),
        )
    )


def tell(*words: str) -> str:
    """An order for charon; when it fails, what it says about that is shown."""
    return f"{_swanctl(*words)} || {{ cat {FOLDER}/said; {log()}; exit 1; }}"


def log() -> str:
    """The end of what it wrote."""
    return f"tail -n 40 {FOLDER}/charon.log {FOLDER}/charon.out"


def _swanctl(*words: str) -> str:
    return f"{_ENVIRONMENT} swanctl {' '.join(words)} --uri {strongswan.VICI} > {FOLDER}/said 2>&1"


def _is_ah(case: IkeCase) -> bool:
    return case.protocol is IpProtocol.AH
