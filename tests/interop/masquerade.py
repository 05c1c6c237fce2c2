"""A box between our gateway and the charon that translates addresses: nftables of a Linux kernel, in a namespace.

    ours 192.0.2.1 -- 192.0.2.254 box 198.51.100.1 -- 192.0.2.2 charon

Nobody but the box has an address in a network of the other side's, so nothing gets by it.
"""

import shutil
import subprocess

from ipsecsim.emulation.namespace import Namespace

INSIDE, OUTSIDE = "192.0.2.254", "198.51.100.1"
HOW_TO_GET_IT = "apt-get install --no-install-recommends nftables"


def missing() -> str | None:
    """What is not here of what a box needs, and how to get it."""
    return None if shutil.which("nft") else f"no nft: {HOW_TO_GET_IT}"


async def lay(ours: str, charons: str, box: Namespace, charon: Namespace) -> None:
    """Two wires and the box: sources get its address and any port, and who knocks at its ports comes to us."""
    for words in (
        f"link add outer type veth peer name inside netns {box.process_id}",
        f"addr add {ours}/32 dev outer",
        "link set outer up",
        f"route add {INSIDE} dev outer",
        f"route add {charons} via {INSIDE}",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    for words in (
        f"link add outside type veth peer name outer netns {charon.process_id}",
        f"addr add {INSIDE}/32 dev inside",
        f"addr add {OUTSIDE}/32 dev outside",
        "link set inside up",
        "link set outside up",
        f"route add {ours} dev inside",
        f"route add {charons} dev outside",
    ):
        (await box.run("ip", *words.split())).check()
    (await box.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")).check()
    for rule in (
        "add table ip nat",
        "add chain ip nat out { type nat hook postrouting priority 100 ; }",
        'add rule ip nat out oifname "outside" masquerade random',
        "add chain ip nat in { type nat hook prerouting priority -100 ; }",
        f'add rule ip nat in iifname "outside" udp dport {{ 500, 4500 }} dnat to {ours}',
    ):
        (await box.run("nft", rule)).check()
    for words in (f"addr add {charons}/32 dev outer", "link set outer up", f"route add {OUTSIDE} dev outer"):
        (await charon.run("ip", *words.split())).check()
