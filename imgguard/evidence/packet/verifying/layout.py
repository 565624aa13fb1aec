"""What the files of a packet are called. No name is ever made of what somebody typed."""

import re

MIMETYPE = "mimetype"
MEDIA_TYPE = b"application/vnd.etsi.asic-e+zip"

PACKET = "packet.json"
READMES = ("README.en.txt", "README.zh.txt")
REPORTS = ("report.en.pdf", "report.zh.pdf")
CHECKPOINT = "log/checkpoint"
POLICY = "log/policy.txt"
VERIFIER = "verifier/"

META = "META-INF/"
MANIFEST = "META-INF/ASiCManifest.xml"
SEAL = "META-INF/signature.p7s"

UNLISTED = frozenset((PACKET, *READMES, *REPORTS))
"""Sealed as all others, and not among the ``files`` of `packet.json`, which they are made of."""

RECORD, OPENING, LEAF, PROOF = "record.json", "opening.json", "leaf.json", "inclusion.tlog-proof"
"""Of each reference, and of each finding that is in the log."""
ANCHOR_PROOF, ANCHOR = "anchored.tlog-proof", "anchored.ots"
"""Of the same, where calendars of OpenTimestamps were asked: one more proof, and the file about its checkpoint."""
DOCUMENT = "finding.json"
"""Of a finding: the document whose digest its record has."""

CAPTURE = "capture/"
"""Within the folder of a finding: the same four of the record that its listing picture was fetched."""

LONGEST_NAME = 200

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_TIMESTAMP = re.compile(r"timestamp-[1-9][0-9]?\.tsr")


def is_name(name: str) -> bool:
    """Whether it can be that of a file in a packet: plain ASCII, relative, no part of it begins with a dot."""
    return len(name) <= LONGEST_NAME and _NAME.fullmatch(name) is not None


def reference_folder(number: int) -> str:
    """``number`` counts from 1, in the order of `packet.json`."""
    return f"references/{number}/"


def finding_folder(number: int) -> str:
    """``number`` counts from 1, in the order of `packet.json`."""
    return f"findings/{number}/"


def timestamp_name(number: int) -> str:
    """The name of a timestamp token within its folder; ``number`` counts from 1 to 99."""
    return f"timestamp-{number}.tsr"


def is_timestamp(name: str, folder: str) -> bool:
    """Whether ``name`` is a timestamp token in ``folder``."""
    return name.startswith(folder) and _TIMESTAMP.fullmatch(name.removeprefix(folder)) is not None


def in_order(names: list[str]) -> list[str]:
    """The one order of a packet: what says that it is a packet first, manifest and seal last, the rest by name."""
    ends = (MIMETYPE, MANIFEST, SEAL)
    rest = sorted(name for name in names if name not in ends)
    return [name for name in (MIMETYPE, *rest, MANIFEST, SEAL) if name in names]
