"""An initiator that sends IKE_SA_INIT and is never heard of again."""

import asyncio

from ipsecsim.base.address import Prefix, pack
from ipsecsim.emulation.system_entropy import SystemEntropy
from ipsecsim.emulation.udp_port import UdpPort
from ipsecsim.ike.config import ChildConfig, Connection
from ipsecsim.ike.credentials import Credentials
from ipsecsim.ike.endpoint import IkeEndpoint
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.scenario.swanctl.parse import esp_proposal, ike_proposal

PORT = 5001


async def leave_half_open(source: str, destination: str) -> None:
    """Begin from a port of its own and wait for the answer, which is then thrown away."""
    anywhere = (traffic_selector(Prefix.parse("0.0.0.0/0")),)
    connection = Connection(
        "half open",
        pack(source),
        pack(destination),
        Identity.from_text("nobody.example"),
        Identity.from_text("charon.example"),
        (ike_proposal("aes256gcm16-prfsha256-x25519"),),
        (ChildConfig("net", anywhere, anywhere, (esp_proposal("aes256gcm16"),), "net"),),
        encap=True,
    )
    (request,) = IkeEndpoint([connection], Credentials(), SystemEntropy()).initiate("net", 0)
    assert isinstance(request, SendDatagram)
    answered = asyncio.Event()
    port = await UdpPort.open(pack(source), PORT, lambda *_: answered.set())
    try:
        port.send(request.destination, request.destination_port, request.payload)
        await asyncio.wait_for(answered.wait(), 5)
    finally:
        port.close()
