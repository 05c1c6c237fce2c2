"""The one setting that would have helped: a path and a value that `--set` and `set:` understand.

A row for each diagnosis, exposure or drop reason that one setting can cure; a run with it shows whether it does
(`study.proof`).
"""

from collections.abc import Callable

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.exposures import Exposure
from ipsecsim.study import cures_agreement as agreement
from ipsecsim.study import cures_path as path
from ipsecsim.study.case import Case
from ipsecsim.study.trouble import Evidence, Trouble


def cure(evidence: Evidence, trouble: Trouble) -> str:
    """'path=value', or '' where no single setting helps."""
    find = CURES.get(trouble.reason)
    if find is None:
        return ""
    name = evidence.tunnel_of(trouble)
    return find(Case(evidence, trouble, evidence.world.topology.tunnels[name] if name else None))


CURES: dict[Diagnosis | Exposure | DropReason, Callable[[Case], str]] = {
    Diagnosis.ESP_FILTERED_ON_PATH: path.esp_in_udp,
    Diagnosis.IKE_FILTERED_ON_PATH: path.open_firewall,
    Diagnosis.TS_NO_OVERLAP: agreement.selectors,
    Diagnosis.TS_NARROWED: agreement.selectors,
    Diagnosis.NO_COMMON_TRANSFORM: agreement.proposals,
    Diagnosis.AUTH_PSK_MISMATCH: agreement.secret,
    Diagnosis.AUTH_ID_UNKNOWN: agreement.identity,
    Diagnosis.AUTH_CERT_ID_MISMATCH: agreement.certificate,
    Diagnosis.AUTH_CERT_UNTRUSTED: agreement.certificate,
    Diagnosis.AUTH_CERT_EXPIRED: agreement.certificate,
    Diagnosis.PFS_MISMATCH_LATENT: agreement.proposals,
    Diagnosis.PMTU_BLACKHOLE: path.let_icmp_through,
    Diagnosis.IKE_FRAG_LOST: path.ike_fragments,
    Diagnosis.NAT_BEFORE_SPD: path.exemption,
    Diagnosis.AH_ICV_NAT: path.without_nat,
    Diagnosis.TRANSPORT_NAT_CHECKSUM: agreement.tunnel_mode,
    Diagnosis.RESPONDER_BEHIND_NAT: path.forward,
    Diagnosis.REPLAY_WINDOW_TOO_SMALL: path.wider_window,
    Diagnosis.NAT_MAPPING_LOST: path.keepalive,
    Diagnosis.MOBIKE_NO_PATH: path.a_way,
    Diagnosis.REKEY_COLLISION: agreement.patience,
    Diagnosis.PLAINTEXT_LEAK: agreement.trap,
    Diagnosis.SUBNET_OVERLAP: path.renumber,
    Diagnosis.ICV_LEN_MISMATCH: agreement.icv_length,
    Diagnosis.SPD_ORDER: agreement.order,
    Exposure.FORGERY_BELIEVED: agreement.integrity,
    DropReason.SPD_NO_MATCH: agreement.group,
    DropReason.CORE_BUSY: path.faster,
    Exposure.SECRET_GUESSED: agreement.unguessable,
}
"""Who knows the setting for which of them. Of the others none has one: a crash is no setting."""
