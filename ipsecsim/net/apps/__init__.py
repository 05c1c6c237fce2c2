"""The applications that nodes run."""

from ipsecsim.net.apps.ping import Ping
from ipsecsim.net.apps.send import Send

APPS = {"ping": Ping, "send": Send}
