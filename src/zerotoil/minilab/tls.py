"""The lab's certificate authority and its one server certificate (for layout.ADDRESS), made once."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

from zerotoil.minilab import layout
from zerotoil.minilab.state import write_secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

LIFETIME = datetime.timedelta(days=3650)


def ensure() -> str:
    """Make CA and server certificate where they are missing; the CA's key is thrown away after its one use."""
    if all(path.exists() for path in (layout.CA_CERT, layout.SERVER_CERT, layout.SERVER_KEY)):
        return "kept"
    from cryptography.hazmat.primitives.asymmetric import ec

    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    _write_certificates(ca_key, server_key)
    return "made"


def _write_certificates(ca_key: EllipticCurvePrivateKey, server_key: EllipticCurvePrivateKey) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def certificate(subject: str, key: EllipticCurvePrivateKey, ca: bool) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
        return (
            x509.CertificateBuilder(name("zerotoil lab CA"), name(subject), key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False, **usage
                ),
                critical=True,
            )
        )

    address = x509.IPAddress(ipaddress.ip_address(layout.ADDRESS))
    ca = certificate("zerotoil lab CA", ca_key, ca=True).sign(ca_key, hashes.SHA256())
    server = (
        certificate(layout.ADDRESS, server_key, ca=False)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_secret(layout.SERVER_KEY, key.decode())
    _write(layout.SERVER_CERT, server.public_bytes(pem))
    _write(layout.CA_CERT, ca.public_bytes(pem))


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    draft.write_bytes(content)
    draft.rename(path)
