"""A verification as an attestation: an in-toto statement in a signed DSSE envelope, which standard verifiers read.

Sources: in-toto Attestation Framework, Statement v1; DSSE v1.0.2 (github.com/secure-systems-lab/dsse).
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from esc_skills.documents.jsonl import canonical_json
from esc_skills.evidence.files import STATEMENT_TYPE
from esc_skills.evidence.signature import SignatureError
from esc_skills.evidence.verification import Bound

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "urn:esc-skills:verification:1"


def attest(result: dict[str, Any], about: Bound, key: Path) -> str:
    """Return a signed envelope as JSON text.

    Args:
        result: The verification as `verify --format json` shows it.
        about: What it is about; head and merged tree become the subjects.
        key: A private key of Ed25519 or ECDSA on P-256, in PEM or OpenSSH form, without a passphrase.

    Raises:
        SignatureError: The key cannot be used, or the package `cryptography` is not installed.
    """
    subjects = [{"name": "head", "digest": {"gitCommit": about.head}}]
    if about.tree:
        subjects.append({"name": "merged tree", "digest": {"gitTree": about.tree}})
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": result,
    }
    payload = canonical_json(statement).encode()
    made, name = _sign(pre_authentication(payload), key)
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": name, "sig": base64.b64encode(made).decode()}],
    }
    return canonical_json(envelope) + "\n"


def pre_authentication(payload: bytes) -> bytes:
    """Return what DSSE signs of a payload."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _sign(data: bytes, file: Path) -> tuple[bytes, str]:
    """Return the signature of some bytes, and the SHA-256 of the public key, in hexadecimal digits."""
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    except ImportError as error:
        hint = "install it: pip install 'esc-skills[sign]'"
        raise SignatureError("an attestation needs the package cryptography", hint) from error
    try:
        content = file.read_bytes()
        is_openssh = content.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
        load = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
        key = load(content, password=None)
    except (OSError, ValueError, TypeError) as error:
        hint = "give a private key of Ed25519 or ECDSA P-256, in PEM or OpenSSH form, without a passphrase"
        raise SignatureError(f"{file}: is no private key that can be read", hint) from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        made = key.sign(data)
    elif isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
        made = key.sign(data, ec.ECDSA(hashes.SHA256()))
    else:
        raise SignatureError(f"{file}: is a key of another kind", "give one of Ed25519 or ECDSA P-256")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.DER, form)
    return made, hashlib.sha256(public).hexdigest()
