"""A laptop: a host that goes from one network to another."""

from ipsecsim.net.nodes.host import Host


class Laptop(Host):
    """What it does beyond a host is what any node can do: `roam`. Its interfaces are named by the file."""
