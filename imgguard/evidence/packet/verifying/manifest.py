"""`META-INF/ASiCManifest.xml` (ETSI EN 319 162-1, A.4): the digest of every file that the seal covers.

Written and read in one spelling only, a line for each file; so it needs no XML parser, and nobody can hide anything
between two of them that disagree.
"""

import base64
import re
from collections.abc import Mapping

from imgguard.errors import PacketInvalid
from imgguard.evidence.packet.verifying.layout import MANIFEST, META, MIMETYPE, SEAL

LONGEST_MANIFEST = 8 * 1024**2

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n'
    f'<asic:SigReference URI="{SEAL}" MimeType="application/pkcs7-signature"/>\n'
)
_LINE = (
    '<asic:DataObjectReference URI="{name}">'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    "<ds:DigestValue>{value}</ds:DigestValue></asic:DataObjectReference>\n"
)
_TAIL = "</asic:ASiCManifest>\n"
# What is between name and digest is bounded: looking on to the end of a line would take hours of some lines.
_READ = re.compile(r'<asic:DataObjectReference URI="([^"<>&]+)">.{0,200}<ds:DigestValue>([A-Za-z0-9+/]{43}=)</ds:')


def is_covered(name: str) -> bool:
    """Whether the manifest has a file of that name: all but the type and what belongs to the seal."""
    return name != MIMETYPE and not name.startswith(META)


def write_manifest(digests: Mapping[str, str]) -> bytes:
    """Of these files, by name, with their SHA-256 in hexadecimal."""
    lines = (
        _LINE.format(name=name, value=base64.b64encode(bytes.fromhex(digests[name])).decode())
        for name in sorted(digests)
        if is_covered(name)
    )
    return (_HEAD + "".join(lines) + _TAIL).encode("ascii")


def check_manifest(data: bytes, digests: Mapping[str, str]) -> None:
    """That ``data`` is the manifest of the files with these ``digests``, as `write_manifest` takes them.

    1  every file that the manifest names is there
    2  every file that is there is named, but those that `is_covered` leaves out
    3  their digests are those of the manifest
    4  the manifest is what `write_manifest` writes for them

    Raises PacketInvalid, with the name of the file.
    """
    named = dict(_READ.findall(data.decode("latin-1")))
    covered = {name for name in digests if is_covered(name)}
    # 1
    for name in sorted(named.keys() - covered):
        raise PacketInvalid("the manifest names this file, and it is missing", reason="missing", file=name)
    # 2
    for name in sorted(covered - named.keys()):
        raise PacketInvalid("the manifest does not name this file", reason="not_covered", file=name)
    # 3
    for name in sorted(covered):
        if named[name] != base64.b64encode(bytes.fromhex(digests[name])).decode():
            raise PacketInvalid("the manifest has another digest of this file", reason="digest", file=name)
    # 4
    if data != write_manifest(digests):
        raise PacketInvalid("the manifest is not as it is written", reason="manifest", file=MANIFEST)
