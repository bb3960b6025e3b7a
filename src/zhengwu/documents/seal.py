"""The seal on papers (电子印章): a PAdES signature over the whole file, and how the seal looks.

Who keeps the seals of a city provides them: `ZHENGWU_SEAL` names a `SealProvider`. The demo has
one of its own, worth nothing. Without any, papers come unsealed and say so.
Law: 行政许可法 32, last paragraph (a seal and the day); 电子签名法 13 (later changes show).
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils.module_loading import import_string

DEMO_LOOK = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What a seal is put on: whose paper, which one, when it was issued, whom to ask."""

    agency: str
    agency_name: str
    title: str
    number: str
    contact: str
    issued: datetime


class SealProvider(Protocol):
    """Who keeps the seals (印章管理). One instance serves the process, from several threads.

    It may also have a method `certificate()`, which gives the x509.Certificate it seals with, or
    None before there is one: `zhengwu doctor` then tells in time that it expires.
    """

    def look(self) -> str:
        """What stands in the paper's sealing place: SVG text, or "demo"."""
        ...

    def seal(self, pdf: bytes, paper: Paper) -> bytes:
        """The PDF with the agency's seal over the whole of it, as one more revision."""
        ...


def look() -> str:
    """How the seal looks on paper; "" where there is no seal."""
    keeper = provider()
    return keeper.look() if keeper else ""


def sealed(pdf: bytes, paper: Paper) -> bytes:
    """The PDF sealed by the installation's provider; as it was where there is none."""
    keeper = provider()
    return keeper.seal(pdf, paper) if keeper else pdf


def provider() -> SealProvider | None:
    """The provider that ZHENGWU_SEAL names. Raises ImportError when there is none of that name."""
    return _provider(settings.SEAL) if settings.SEAL else None


def certificate() -> x509.Certificate | None:
    """What the installation's provider seals with; None where it does not say."""
    tell = getattr(provider(), "certificate", None)
    return tell() if tell else None


@cache
def _provider(path: str) -> SealProvider:
    made: SealProvider = import_string(path)()
    return made


def paper_of(data: Mapping[str, Any], *, agency: str, number: str, issued: datetime) -> Paper:
    """The paper of frozen data."""
    return Paper(
        agency=agency,
        agency_name=str(data.get("agency_name", "")),
        title=str(data.get("title", "")),
        number=number,
        contact=str(data.get("contact") or data.get("agency_name", "")),
        issued=issued,
    )


class DemoSeal:
    """The seal of the demo (演示专用章): a certificate of its own making, trusted by nobody.

    Made at first use, once for the installation, into `seal/demo.pem` under its home (mode 0600).
    """

    def __init__(self, home: Path | None = None) -> None:
        self._file = (home or Path(settings.HOME)) / "seal" / "demo.pem"
        self._lock = threading.Lock()

    def look(self) -> str:
        return DEMO_LOOK

    def seal(self, pdf: bytes, paper: Paper) -> bytes:
        from zhengwu.documents import signing  # half a second, and only who seals pays it

        return signing.sign(
            pdf,
            self._signer,
            name=paper.agency_name,
            reason=f"制发《{paper.title}》{paper.number}",
            contact=paper.contact,
            at=paper.issued,
        )

    def certificate(self) -> x509.Certificate | None:
        """None before the first use, which makes it."""
        if not self._file.exists():
            return None
        return x509.load_pem_x509_certificate(self._file.read_bytes())

    @cached_property
    def _signer(self) -> Any:
        """The key, made if this is the first use; read and checked once for the process."""
        from zhengwu.documents import signing

        with self._lock:
            if not self._file.exists():
                _make(self._file)
            pem = self._file.read_bytes()
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{self._file} holds no RSA key")
        return signing.KeySigner(key, x509.load_pem_x509_certificate(pem))


def _make(file: Path) -> None:
    """Write a new key and certificate; whoever comes second keeps what the first wrote."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "政务服务平台演示"),
            x509.NameAttribute(NameOID.COMMON_NAME, "演示专用章（不具有法律效力）"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Wide, so that papers of every year of the demo lie within it.
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 12, 31, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name_of = tempfile.mkstemp(dir=file.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(pem)
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(name_of, file)  # all of it or nothing, and never over another's
        except FileExistsError:
            return
    finally:
        os.unlink(name_of)
