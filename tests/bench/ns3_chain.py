"""ns-3 as the peer of goal 5: the same chain of hosts and routers, driven through its Python bindings.

Nothing of ns-3 is in this project; without its wheel there are no rows, and that is said.
"""

from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tests.bench.measure import Work

HOW_TO_GET_IT = "ns-3 is measured where its wheel is installed: pip install ns3"
INTERVAL = 10  # microseconds between two packets
LINKS = 4


class Peer:
    """ns-3, loaded: that takes its interpreter of C++ some ten seconds."""

    def __init__(self) -> None:
        # Its loader complains about symbols of its own on the way, and does without them.
        self._ns: Any = import_module("ns").ns

    def passing(self, size: int, *, checksums: bool) -> Work:
        """UDP datagrams of `size` bytes through four links at 100 Gbit/s; each is sent, passed on and counted."""
        ns = self._ns
        ns.Simulator.Destroy()
        ns.GlobalValue.Bind("ChecksumEnabled", ns.BooleanValue(checksums))
        nodes = ns.NodeContainer()
        nodes.Create(LINKS + 1)
        ns.InternetStackHelper().Install(nodes)
        cable = ns.PointToPointHelper()
        cable.SetDeviceAttribute("DataRate", ns.StringValue("100Gbps"))
        cable.SetChannelAttribute("Delay", ns.StringValue("1us"))
        addresses = ns.Ipv4AddressHelper()
        addresses.SetBase(ns.Ipv4Address("10.0.0.0"), ns.Ipv4Mask("255.255.255.0"))
        for number in range(LINKS):
            pair = ns.NodeContainer()
            pair.Add(nodes.Get(number))
            pair.Add(nodes.Get(number + 1))
            interfaces = addresses.Assign(cable.Install(pair))
            addresses.NewNetwork()
        ns.Ipv4GlobalRoutingHelper.PopulateRoutingTables()
        servers = ns.UdpServerHelper(9).Install(nodes.Get(LINKS))
        client = ns.UdpClientHelper(interfaces.GetAddress(1).ConvertTo(), 9)
        client.SetAttribute("MaxPackets", ns.UintegerValue(0xFFFFFFFF))
        client.SetAttribute("Interval", ns.TimeValue(ns.MicroSeconds(INTERVAL)))
        client.SetAttribute("PacketSize", ns.UintegerValue(size))
        client.Install(nodes.Get(0))
        server, sent = servers.Get(0), 0

        def work(count: int) -> None:
            nonlocal sent
            sent += count
            ns.Simulator.Stop(ns.MicroSeconds(INTERVAL * count))
            ns.Simulator.Run()
            assert sent - 2 <= server.GetReceived() <= sent, "ns-3 lost packets"

        return work


def load() -> Peer | None:
    """ns-3, or None where it is not installed or does not start."""
    if find_spec("ns3") is None:
        return None
    with suppress(Exception):  # whatever its loader raises on a machine that it was not built for
        return Peer()
    return None
