"""What every node knew at any position of a run: SPD, SAD, IKE SAs, NAT mappings, connections, routes."""

from ipsecsim.observe.inventory.inventory import Inventory, Tree, tree_of
from ipsecsim.observe.inventory.sections import look
from ipsecsim.observe.inventory.seen import Change, Path

__all__ = ["Change", "Inventory", "Path", "Tree", "look", "tree_of"]
