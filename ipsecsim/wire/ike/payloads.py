"""Here is the table of payload types this program can read inside. One row a type."""

from ipsecsim.wire.ike.auth import Authentication
from ipsecsim.wire.ike.certificate import CertificatePayload, CertificateRequest
from ipsecsim.wire.ike.configuration import Configuration
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.eap import EapPayload
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.generic import Payload, UnknownPayload
from ipsecsim.wire.ike.identification import IdInitiator, IdResponder
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import PayloadType
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from ipsecsim.wire.ike.traffic_selector import TsInitiator, TsResponder
from ipsecsim.wire.ike.vendor import VendorId

__all__ = ["PAYLOADS", "Payload", "UnknownPayload"]

PAYLOADS: dict[int, type[Payload]] = {
    PayloadType.SA: SecurityAssociationPayload,
    PayloadType.KE: KeyExchange,
    PayloadType.IDi: IdInitiator,
    PayloadType.IDr: IdResponder,
    PayloadType.CERT: CertificatePayload,
    PayloadType.CERTREQ: CertificateRequest,
    PayloadType.AUTH: Authentication,
    PayloadType.NONCE: Nonce,
    PayloadType.NOTIFY: Notify,
    PayloadType.DELETE: Delete,
    PayloadType.VENDOR: VendorId,
    PayloadType.TSi: TsInitiator,
    PayloadType.TSr: TsResponder,
    PayloadType.SK: Encrypted,
    PayloadType.CP: Configuration,
    PayloadType.EAP: EapPayload,
    PayloadType.SKF: EncryptedFragment,
}
