"""The one table: who looks for which diagnosis; and all that is found in a recording."""

from collections.abc import Iterator

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.ike.events import Diagnosed
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.why.addressing import src_not_in_ts, subnet_overlap
from ipsecsim.observe.why.collisions import rekey_collision
from ipsecsim.observe.why.finding import Case, Finder, Finding
from ipsecsim.observe.why.firewall import esp_filtered_on_path, ike_filtered_on_path
from ipsecsim.observe.why.integrity import icv_len_mismatch
from ipsecsim.observe.why.leaking import plaintext_leak
from ipsecsim.observe.why.memory import peer_rebooted, stale_sa
from ipsecsim.observe.why.nat import (
    ah_icv_nat,
    nat_before_spd,
    nat_mapping_lost,
    responder_behind_nat,
    spd_conflict_same_outer,
    transport_nat_checksum,
)
from ipsecsim.observe.why.path_mtu import ike_frag_lost, pmtu_blackhole
from ipsecsim.observe.why.policy import spd_order
from ipsecsim.observe.why.replay import replay_window_too_small

FINDERS: dict[Diagnosis, Finder] = {
    Diagnosis.PMTU_BLACKHOLE: pmtu_blackhole,
    Diagnosis.IKE_FRAG_LOST: ike_frag_lost,
    Diagnosis.NAT_BEFORE_SPD: nat_before_spd,
    Diagnosis.SPD_CONFLICT_SAME_OUTER: spd_conflict_same_outer,
    Diagnosis.AH_ICV_NAT: ah_icv_nat,
    Diagnosis.TRANSPORT_NAT_CHECKSUM: transport_nat_checksum,
    Diagnosis.RESPONDER_BEHIND_NAT: responder_behind_nat,
    Diagnosis.NAT_MAPPING_LOST: nat_mapping_lost,
    Diagnosis.ESP_FILTERED_ON_PATH: esp_filtered_on_path,
    Diagnosis.IKE_FILTERED_ON_PATH: ike_filtered_on_path,
    Diagnosis.REPLAY_WINDOW_TOO_SMALL: replay_window_too_small,
    Diagnosis.STALE_SA: stale_sa,
    Diagnosis.REKEY_COLLISION: rekey_collision,
    Diagnosis.PEER_REBOOTED: peer_rebooted,
    Diagnosis.PLAINTEXT_LEAK: plaintext_leak,
    Diagnosis.SUBNET_OVERLAP: subnet_overlap,
    Diagnosis.SRC_NOT_IN_TS: src_not_in_ts,
    Diagnosis.ICV_LEN_MISMATCH: icv_len_mismatch,
    Diagnosis.SPD_ORDER: spd_order,
}
"""What it takes a look at the whole recording to know. IKE tells the others by itself, and some of these too."""


def findings(recorder: Recorder, simulator: Simulator) -> list[Finding]:
    """What IKE came to know and what the recording shows, in the order of the first row of each."""
    case = Case(recorder, simulator)
    found = [*_told(case), *(each for find in FINDERS.values() for each in find(case))]
    return sorted(found, key=lambda finding: finding.rows[0].sequence)


def _told(case: Case) -> Iterator[Finding]:
    """What one side said several times is one finding."""
    found: dict[tuple[str, Diagnosis, str, str], list[Record]] = {}
    for row, event in case.of(Diagnosed):
        found.setdefault((row.node, event.diagnosis, event.connection, event.detail), []).append(row)
    for (node, diagnosis, _, detail), rows in found.items():
        yield Finding(diagnosis, tuple(rows), f"{node}: {diagnosis.sentence} ({detail})")
