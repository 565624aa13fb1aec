"""Whom the operator believes: by its trust file, and what it knows of its own authority."""

from dataclasses import replace
from pathlib import Path

from imgguard.provenance.trust import Trust, TrustClass, TrustedAuthority
from imgguard.settings import Settings
from imgguard.storage.local_authority import LocalAuthority
from imgguard.storage.trust_file import read_trust_file


def operator_trust(settings: Settings, key_file: Path, embedded: LocalAuthority) -> Trust:
    """The trust file, and that the ``embedded`` authority is self-issued, once it has made its ``key_file``.

    Raises ConfigurationError, StoreUnavailable.
    """
    found = read_trust_file(settings.trust_file)
    if not key_file.exists() or found.authority_of(embedded.authority.root) is not None:
        return found
    own = TrustedAuthority(name=embedded.name, trust_class=TrustClass.SELF_ISSUED, certificate=embedded.authority.root)
    return replace(found, authorities=(*found.authorities, own))
