"""How each side of a connection proves who it is, read from `local:` and `remote:`."""

from ipsecsim.ike.identity import ANY
from ipsecsim.scenario import schema_ipsec
from ipsecsim.scenario.fields import word_of
from ipsecsim.scenario.lab_pki import AUTHORITIES
from ipsecsim.scenario.model_ipsec import AuthRound
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Problems, did_you_mean
from ipsecsim.scenario.swanctl.values import items
from ipsecsim.scenario.tree import Map


class RoundReader:
    """Reads rounds, and for that knows which nodes there are."""

    def __init__(self, names: Names, problems: Problems) -> None:
        self._names = names
        self._problems = problems

    def round(self, connection: Map, side: str, default_id: str) -> AuthRound:
        """One side's round."""
        node = connection.map(side) or Map(connection.place)
        said = node.text("id")
        wanted = default_id if said is None else said.value
        table = schema_ipsec.AUTH
        return AuthRound(
            word_of(node, table, "auth"),
            ANY if wanted == "any" else wanted,
            self._nodes(node, "certs"),
            self._authorities(node),
            self._nodes(node, "pubkeys"),
            word_of(node, table, "revocation"),
        )

    def _nodes(self, node: Map, key: str) -> tuple[str, ...]:
        """The nodes whose certificates or keys are meant, groups worked out."""
        listed = node.get(key)
        made: list[str] = []
        for text in items(listed):
            found = self._names.find_nodes(text.value)
            if not found:
                hint = did_you_mean(text.value, self._names.nodes)
                self._problems.add(
                    f"{key}: no node '{text.value}' whose certificate it could be{hint}", text.place
                )
            made += found
        return tuple(dict.fromkeys(made))

    def _authorities(self, node: Map) -> tuple[str, ...]:
        listed = node.get("cacerts")
        made: list[str] = []
        for text in items(listed):
            if text.value not in AUTHORITIES:
                hint = did_you_mean(text.value, AUTHORITIES)
                self._problems.add(f"cacerts: the lab has no authority '{text.value}'{hint}", text.place)
            made.append(text.value)
        return tuple(dict.fromkeys(made))
