"""A PAdES signature over a whole PDF (电子签名), by pyHanko: one more revision at its end.

PDF/A stays: the field is invisible, has its print flag and no appearance (ISO 19005-2 6.3.2 and
6.3.3), the signature covers the file, and the first half of the identifier is kept.
"""

from __future__ import annotations

import io
from datetime import datetime
from hashlib import sha256
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

FIELD = "Seal"
ROOM = 8_192  # hexadecimal digits for the signature: a 3,072-bit key and its certificate need 6,100


class KeySigner(signers.Signer):  # type: ignore[misc, unused-ignore]
    """Signs with a key held in memory; pyHanko's own reads and checks it for every signature."""

    def __init__(self, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        super().__init__(
            signing_cert=asn1.Certificate.load(certificate.public_bytes(Encoding.DER)),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call, unused-ignore]
        )

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        if dry_run:
            return bytes(self._key.key_size // 8)
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class _Revision(IncrementalPdfFileWriter):  # type: ignore[misc, unused-ignore]
    """The revision that carries the signature and changes nothing else.

    pyHanko would draw half of the file's identifier by lot, stamp the machine's time, and write the
    metadata anew in a form that PDF/A does not have (a schema's namespace as a resource).
    """

    def __init__(self, pdf: bytes) -> None:
        super().__init__(io.BytesIO(pdf))
        first = self.prev.trailer["/ID"][0]
        again = generic.ByteStringObject(sha256(pdf).digest()[:16])
        self._document_id = self.trailer["/ID"] = generic.ArrayObject([first, again])

    def _update_meta(self) -> None:
        pass


class _PaperSigner(signers.PdfSigner):  # type: ignore[misc, unused-ignore]
    """Signs at the paper's time, not at the machine's."""

    issued: datetime

    def init_signing_session(self, *given: Any, **named: Any) -> Any:
        session = super().init_signing_session(*given, **named)
        session.system_time = self.issued
        return session


def sign(
    pdf: bytes, signer: signers.Signer, *, name: str, reason: str, contact: str, at: datetime
) -> bytes:
    """The PDF and a PAdES-B-B signature; name: who signs. The same in, the same out."""
    paper_signer = _PaperSigner(
        signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            reason=reason,
            location=name,
            contact_info=contact,
            name=name,
        ),
        signer=signer,
        new_field_spec=fields.SigFieldSpec(
            sig_field_name=FIELD, readable_field_name=f"{name}电子印章"
        ),
    )
    paper_signer.issued = at
    out: io.BytesIO = paper_signer.sign_pdf(_Revision(pdf), bytes_reserved=ROOM)
    return out.getvalue()
