"""Certificates and keys of the operator, from PEM files: checked where they are configured."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from imgguard.errors import ConfigurationError
from imgguard.evidence.signing import Parent, algorithm_of, sign_opened

_MOST_BYTES = 2_000_000


def trust_list(path: Path) -> str:
    """The text of a file with one certificate or more. Raises ConfigurationError."""
    from cryptography import x509

    text = _text(path, setting="IMGGUARD_C2PA_TRUST")
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise ConfigurationError(
            f"{path} holds no list of certificates in PEM form", hint="See IMGGUARD_C2PA_TRUST in docs/settings.md."
        ) from error
    return text


def evidence_signer(chain: Path, key: Path) -> Callable[[bytes, Parent], bytes]:
    """Signs pictures with what the two files hold. Raises ConfigurationError when that cannot be used."""
    certificates = _text(chain, setting="IMGGUARD_C2PA_CHAIN").encode()
    private = _text(key, setting="IMGGUARD_C2PA_KEY").encode()
    algorithm_of(certificates, private)
    return partial(sign_opened, chain=certificates, key=private)


def _text(path: Path, *, setting: str) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigurationError(f"{path} is larger than any list of certificates", hint=f"Look at {setting}.")
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no PEM file"
        raise ConfigurationError(f"{path} cannot be read: {reason}", hint=f"Look at {setting}.") from error
