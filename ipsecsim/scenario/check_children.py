"""Whether what a node says about the children of its IKE connections can be negotiated and built."""

from ipsecsim.scenario.model_ipsec import ChildSpec, IpsecSpec
from ipsecsim.scenario.problems import Problems


def check_children(ipsec: IpsecSpec, problems: Problems) -> None:
    """Note what no negotiation could make good."""
    for connection in ipsec.connections.values():
        for child in connection.children.values():
            _check_window(child, problems)
            if connection.encap and not child.esp_proposals:
                problems.add("AH cannot ride in UDP (RFC 3948 1); write encap: no", child.place)


def _check_window(child: ChildSpec, problems: Problems) -> None:
    if not child.replay_window and any(True in each.extended_sequence for each in child.proposals):
        problems.add(
            "extended sequence numbers need a replay window, since nobody else keeps count of the high half "
            "(RFC 4303 3.3.3); write replay_window: 32",
            child.place,
        )
