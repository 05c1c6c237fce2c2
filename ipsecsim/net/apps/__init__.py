"""The applications that nodes run: one row for each verb of the script that makes traffic."""

from ipsecsim.net.application import App
from ipsecsim.net.apps.dns import Dns, DnsServer
from ipsecsim.net.apps.flow import Flow, FlowListener
from ipsecsim.net.apps.ping import Ping
from ipsecsim.net.apps.send import Send
from ipsecsim.net.apps.trace import Trace
from ipsecsim.net.apps.voice import Voice, VoiceListener

_BOTH_WAYS = frozenset({"sent", "received", "lost", "rtt", "size", "duration"})
_ONE_WAY = frozenset({"sent", "received", "lost", "size", "jitter", "goodput", "duration"})

APPS: dict[str, App] = {
    "ping": App(Ping, _BOTH_WAYS),
    "send": App(Send, frozenset({"sent"})),
    "flow": App(Flow, _ONE_WAY, FlowListener),
    "voice": App(Voice, _ONE_WAY, VoiceListener),
    "dns": App(Dns, _BOTH_WAYS, DnsServer),
    "trace": App(Trace, _BOTH_WAYS | {"hops"}),
}
