"""The one runner for published numbers: reads files of cases, sends each to the check of its kind.

A case passes only when its check compared every expected value and read every input that it gives.
Further directories of such files come from IPSECSIM_VECTORS, separated by colons.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from tests.vectors import kinds_ah, kinds_crypto, kinds_esp, kinds_ip, kinds_keys, kinds_messages
from tests.vectors.case import Case
from tests.vectors.results import MismatchError, NotSupportedError, Outcome, Result, judge

DATA = Path(__file__).parent / "data"
ENVIRONMENT = "IPSECSIM_VECTORS"

Check = Callable[[Case], None]

KINDS: dict[str, Check] = {
    "aead": kinds_crypto.aead,
    "cipher": kinds_crypto.cipher,
    "dh": kinds_crypto.exchange,
    "dh-one-sided": kinds_crypto.one_sided,
    "dh-peer-invalid": kinds_crypto.refused,
    "dh-zero-shared": kinds_crypto.refused,
    "integrity": kinds_crypto.integrity,
    "modp-parameters": kinds_crypto.modp_parameters,
    "prf": kinds_crypto.prf,
    "ikev2-auth-eap-msk": kinds_keys.msk_proof,
    "ikev2-auth-psk": kinds_keys.psk_proof,
    "ikev2-auth-signature": kinds_keys.signature_proof,
    "ikev2-nat-detection": kinds_keys.nat_detection,
    "ikev2-rekey-ike-keys": kinds_keys.rekeyed_keys,
    "ikev2-rekey-skeyseed": kinds_keys.rekeyed_skeyseed,
    "ikev2-session-keys": kinds_keys.session_keys,
    "prf-plus": kinds_keys.stretched,
    "skeyseed": kinds_keys.skeyseed,
    "ike-message": kinds_messages.message,
    "ike-message-malformed": kinds_messages.malformed_message,
    "ike-payload-seed": kinds_messages.seed,
    "ikev2-payload": kinds_messages.payload,
    "ikev2-sk": kinds_messages.sealed,
    "ikev2-skf": kinds_messages.sealed_fragment,
    "ikev2-skf-reassembly": kinds_messages.reassembled,
    "malformed-or-unusual-packet": kinds_messages.malformed_packet,
    "ah-packet": kinds_ah.packet,
    "ah-packet-rx": kinds_ah.received,
    "esp-decrypt-no-icv-key": kinds_esp.without_icv_key,
    "esp-packet": kinds_esp.packet,
    "esp-packet-rx": kinds_esp.received,
    "ip-fragment-headers": kinds_ip.fragment_headers,
}
"""Kind of case -> its check. A kind without a row is not supported yet."""


def directories() -> list[Path]:
    """The project's own vectors, then those of the environment."""
    return [DATA, *environment_paths(ENVIRONMENT)]


def environment_paths(variable: str) -> list[Path]:
    """The directories that an environment variable names. Raises FileNotFoundError when one is absent."""
    paths = [Path(part) for part in os.environ.get(variable, "").split(os.pathsep) if part]
    for path in paths:
        if not path.is_dir():
            raise FileNotFoundError(f"{variable}: no directory {path}")
    return paths


def files() -> dict[str, Path]:
    """Every vector file by family name. A file from the environment is told apart by its directory.

    Raises FileNotFoundError when a directory holds no vectors.
    """
    found: dict[str, Path] = {}
    for directory in directories():
        paths = sorted(directory.glob("*.json"))
        if not paths:
            raise FileNotFoundError(f"no vector files in {directory}")
        for path in paths:
            name = path.stem if directory == DATA else f"{directory.name}/{path.stem}"
            while name in found:
                name += "'"
            found[name] = path
    return found


def run_file(family: str, path: Path) -> list[Result]:
    """The results of one file, a case each. A file that cannot be read is one failure."""
    try:
        records = json.loads(path.read_text())
        if not isinstance(records, list) or not records:
            raise ValueError("no list of cases")
    except (OSError, ValueError) as wrong:
        return [Result(family, path.name, Outcome.FAILED, f"cannot be read: {wrong}")]
    return [run_record(family, record) for record in records]


def run_record(family: str, record: object) -> Result:
    """The result of one case as it stands in a file."""
    name = str(record.get("name", "?")) if isinstance(record, dict) else "?"

    def check() -> set[tuple[str, int, int]]:
        if not isinstance(record, dict):
            raise MismatchError("a case is no mapping")
        case = Case(record)
        by_kind = KINDS.get(case.kind)
        if by_kind is None:
            raise NotSupportedError(f"kind {case.kind}")
        by_kind(case)
        left = case.leftovers()
        if left:
            raise MismatchError(left)
        return case.reached

    return judge(family, name, check)


def run_all() -> list[Result]:
    """The results of all files."""
    return [result for family, path in files().items() for result in run_file(family, path)]
