"""The control plane's certificates and the kubeconfigs that hold them. Made in a tenth of a second, for one run."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SERVICE_ADDRESS = "10.43.0.1"  # of the service `kubernetes`, as on k3s
_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
_LIFETIME = datetime.timedelta(days=7)


class Authority:
    """A CA that writes what it signs into `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700)
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("zerotoil-test-ca")
        builder = _builder(subject, subject, self._key.public_key())
        self._cert = builder.add_extension(x509.BasicConstraints(True, None), critical=True).sign(self._key, hashes.SHA256())
        self.ca = self._write("ca.crt", _pem(self._cert))

    def server(self) -> tuple[Path, Path]:
        """Certificate and key of kube-apiserver."""
        addresses = [x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", SERVICE_ADDRESS)]
        names = x509.SubjectAlternativeName([*addresses, *map(x509.DNSName, _NAMES)])
        cert, key = self._sign("kube-apiserver", "", names)
        return self._write("apiserver.crt", cert), self._write("apiserver.key", key)

    def service_accounts(self) -> tuple[Path, Path]:
        """Public and private key for the tokens of service accounts."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return self._write("sa.pub", public), self._write("sa.key", _key_pem(key))

    def kubeconfig(self, path: Path, url: str, user: str, group: str = "") -> Path:
        """A kubeconfig of its own, with certificate and key in it, mode 0600."""
        cert, key = self._sign(user, group)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "default", "cluster": {"server": url, "certificate-authority-data": _b64(_pem(self._cert))}}],
            "users": [{"name": "default", "user": {"client-certificate-data": _b64(cert), "client-key-data": _b64(key)}}],
            "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
            "current-context": "default",
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(config, indent=1))
        return path

    def _sign(self, user: str, group: str, names: x509.SubjectAlternativeName | None = None) -> tuple[bytes, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(user, group), self._cert.subject, key.public_key())
        if names:
            builder = builder.add_extension(names, critical=False)
        return _pem(builder.sign(self._key, hashes.SHA256())), _key_pem(key)

    def _write(self, name: str, text: bytes) -> Path:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(text)
        return path


def _name(user: str, group: str = "") -> x509.Name:
    organisation = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*organisation, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _b64(text: bytes) -> str:
    return base64.b64encode(text).decode()
