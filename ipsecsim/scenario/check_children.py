"""Whether what a node says about the children of its IKE connections can be negotiated and built."""

from ipsecsim.scenario.model_ipsec import ChildSpec, ConnectionSpec, IpsecSpec
from ipsecsim.scenario.problems import Problems


def check_children(ipsec: IpsecSpec, problems: Problems) -> None:
    """Note what no negotiation could make good."""
    for connection in ipsec.connections.values():
        for child in connection.children.values():
            _check_window(child, problems)
            _check_lifetimes(child, problems)
            if not connection.remote_addrs:
                _check_for_anybody(connection, child, problems)
            if connection.encap and not child.esp_proposals:
                problems.add("AH cannot ride in UDP (RFC 3948 1); write encap: no", child.place)


def _check_for_anybody(connection: ConnectionSpec, child: ChildSpec, problems: Problems) -> None:
    """Who waits for any peer can't call one, and has to know what traffic is meant for it."""
    who = f"connection '{connection.name}' has no remote_addrs"
    if child.start_action != "none":
        problems.add(f"{who}, so it can't start anything; write start_action: none", child.place)
    if not child.remote_ts:
        problems.add(f"{who}; say what is at the peer's side: pools: [...], or remote_ts:", child.place)


def _check_window(child: ChildSpec, problems: Problems) -> None:
    if not child.replay_window and any(True in each.extended_sequence for each in child.proposals):
        problems.add(
            "extended sequence numbers need a replay window, since nobody else keeps count of the high half "
            "(RFC 4303 3.3.3); write replay_window: 32",
            child.place,
        )


def _check_lifetimes(child: ChildSpec, problems: Problems) -> None:
    """Note an end that comes before the new keys do."""
    pairs = {
        "time": (child.rekey_time, child.life_time),
        "bytes": (child.rekey_bytes, child.life_bytes),
        "packets": (child.rekey_packets, child.life_packets),
    }
    for what, (rekey, life) in pairs.items():
        if life and rekey and life <= rekey:
            problems.add(
                f"life_{what} ends the child before rekey_{what} has given it new keys; "
                f"write a smaller rekey_{what}, or rekey_{what}: 0 for never",
                child.place,
            )
