"""Packets whose ZIP, manifest or seal somebody has tampered with."""

import io
import struct
import warnings
import zipfile
from collections.abc import Callable
from hashlib import sha256

from small_packet import (
    MADE_AT,
    small_packet,
)

from imgguard.evidence.packet.verifying.container import write_container
from imgguard.evidence.packet.verifying.layout import MANIFEST, MIMETYPE, SEAL
from imgguard.evidence.packet.verifying.manifest import write_manifest

type Refusal = tuple[int, str, str | None]


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezipped(files: list[tuple[str, bytes]], *, compression: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    """By Python's own writer, which leaves more freedom."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.comment = comment
        for name, data in files:
            info = zipfile.ZipInfo(name, (2026, 11, 22, 10, 0, 0))
            info.create_system, info.external_attr, info.compress_type = 3, 0o100644 << 16, compression
            archive.writestr(info, data)
    return buffer.getvalue()


def _patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def _directory_at(data: bytes) -> int:
    found: int = struct.unpack("<I", data[-6:-2])[0]
    return found


def prepended_bytes() -> bytes:
    return b"#!/bin/sh\n" + small_packet().to_bytes()


def trailing_bytes() -> bytes:
    return small_packet().to_bytes() + b"\n"


def comment() -> bytes:
    return rezipped(list(members_of(small_packet().to_bytes()).items()), comment=b"trust me")


def bytes_after_the_directory() -> bytes:
    data = small_packet().to_bytes()
    return data[:-22] + b"hidden" + data[-22:]


def two_directories() -> bytes:
    data = small_packet().to_bytes()
    directory = data[_directory_at(data) : -22]
    start = len(data) - 22
    return data[:-22] + directory + _patched(data[-22:], 16, struct.pack("<I", start))


def bytes_between_files() -> bytes:
    data = small_packet().to_bytes()
    at = _directory_at(data)
    return data[:at] + b"hidden" + data[at:-22] + _patched(data[-22:], 16, struct.pack("<I", at + 6))


def two_files_of_one_name() -> bytes:
    files = list(members_of(small_packet().to_bytes()).items())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return rezipped([*files, ("packet.json", b"{}")])


def names_that_differ_in_case() -> bytes:
    files = members_of(small_packet().to_bytes())
    return rezipped([*files.items(), ("Packet.JSON", b"{}")])


def _named(name: str) -> bytes:
    return rezipped([*members_of(small_packet().to_bytes()).items(), (name, b"x")])


def escaping_name() -> bytes:
    return _named("../../etc/cron.d/x")


def absolute_name() -> bytes:
    return _named("/etc/passwd")


def name_with_backslashes() -> bytes:
    return _named("..\\..\\x")


def name_of_a_drive() -> bytes:
    return _named("C:x")


def name_beyond_ascii() -> bytes:
    return _named("références/1")


def name_with_a_null() -> bytes:
    data = _named("logXcheckpoint")
    return data.replace(b"logXcheckpoint", b"log\x00checkpoint")


def hidden_name() -> bytes:
    return _named(".git/config")


def folder() -> bytes:
    return _named("references/")


def deflated() -> bytes:
    return rezipped(list(members_of(small_packet().to_bytes()).items()), compression=zipfile.ZIP_DEFLATED)


def bomb_by_ratio() -> bytes:
    files = [*members_of(small_packet().to_bytes()).items(), ("zeros", bytes(50_000_000))]
    return rezipped(files, compression=zipfile.ZIP_DEFLATED)


def bomb_by_overlapping() -> bytes:
    """Two entries of the directory share the bytes of one file (D. Fifield, 2019)."""
    data = small_packet().to_bytes()
    at = _directory_at(data) + 46 + len(MIMETYPE)
    return _patched(data, at + 42, struct.pack("<I", 0))


def bomb_by_many_files() -> bytes:
    return rezipped([(f"f{number}", b"") for number in range(10_001)])


def encrypted() -> bytes:
    data = small_packet().to_bytes()
    return _patched(data, _directory_at(data) + 8, b"\x01")


def data_descriptor() -> bytes:
    data = small_packet().to_bytes()
    return _patched(_patched(data, 6, b"\x08"), _directory_at(data) + 8, b"\x08")


def symbolic_link() -> bytes:
    data = small_packet().to_bytes()
    return _patched(data, _directory_at(data) + 38, struct.pack("<I", 0o120777 << 16))


def headers_that_disagree() -> bytes:
    """The local header names another file than the directory does."""
    return small_packet().to_bytes().replace(b"README.en.txt", b"README.xx.txt", 1)


def local_header_with_a_size() -> bytes:
    data = small_packet().to_bytes()
    return _patched(data, 22, struct.pack("<I", 5))


def zip64() -> bytes:
    return _patched(small_packet().to_bytes(), len(small_packet().to_bytes()) - 6, b"\xff\xff\xff\xff")


def several_disks() -> bytes:
    data = small_packet().to_bytes()
    return _patched(data, len(data) - 18, b"\x01")


def no_type() -> bytes:
    files = members_of(small_packet().to_bytes())
    del files[MIMETYPE]
    return rezipped(list(files.items()))


def another_order() -> bytes:
    first, *rest = members_of(small_packet().to_bytes()).items()
    return rezipped([first, *reversed(rest)])


def cut_short() -> bytes:
    return small_packet().to_bytes()[:-1]


def nothing() -> bytes:
    return b""


# Of manifest and seal.


def _unsealed(change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Changed after it was sealed, with a ZIP that is right."""
    files = members_of(small_packet().to_bytes())
    change(files)
    return write_container(files, made_at=MADE_AT)


def file_replaced() -> bytes:
    return _unsealed(lambda files: files.update({"references/1/original.jpg": b"another picture"}))


def file_added() -> bytes:
    return _unsealed(lambda files: files.update({"extra.txt": b"x"}))


def file_removed() -> bytes:
    return _unsealed(lambda files: files.__delitem__("report.en.pdf"))


def file_added_beside_the_seal() -> bytes:
    return _unsealed(lambda files: files.update({"META-INF/notes.txt": b"x"}))


def manifest_rewritten() -> bytes:
    def change(files: dict[str, bytes]) -> None:
        files["references/1/original.jpg"] = b"another picture"
        files[MANIFEST] = write_manifest({name: sha256(data).hexdigest() for name, data in files.items()})

    return _unsealed(change)


def manifest_with_a_space() -> bytes:
    return _unsealed(lambda files: files.update({MANIFEST: files[MANIFEST] + b" "}))


def manifest_of_one_long_line() -> bytes:
    """Whoever looks on for the rest of what begins there, each time it begins, takes an hour."""
    return _unsealed(lambda files: files.update({MANIFEST: b'<asic:DataObjectReference URI="a">' * 200_000}))


def no_manifest() -> bytes:
    return _unsealed(lambda files: files.__delitem__(MANIFEST))


def no_seal() -> bytes:
    return _unsealed(lambda files: files.__delitem__(SEAL))


def seal_that_is_none() -> bytes:
    return _unsealed(lambda files: files.update({SEAL: b"0\x80"}))


def seal_with_trailing_bytes() -> bytes:
    return _unsealed(lambda files: files.update({SEAL: files[SEAL] + b"\x00"}))


def seal_of_another_packet() -> bytes:
    other = members_of(small_packet(2).to_bytes())[SEAL]
    return _unsealed(lambda files: files.update({SEAL: other}))


ZIPS: dict[Callable[[], bytes], Refusal] = {
    prepended_bytes: (1, "directory_place", None),
    trailing_bytes: (1, "not_a_packet", None),
    comment: (1, "not_a_packet", None),
    bytes_after_the_directory: (1, "directory_place", None),
    two_directories: (1, "file_place", None),
    bytes_between_files: (1, "file_place", None),
    two_files_of_one_name: (1, "name_twice", "packet.json"),
    names_that_differ_in_case: (1, "name_twice", "Packet.JSON"),
    escaping_name: (1, "name", None),
    absolute_name: (1, "name", None),
    name_with_backslashes: (1, "name", None),
    name_of_a_drive: (1, "name", None),
    name_beyond_ascii: (1, "name", None),
    name_with_a_null: (1, "name", None),
    hidden_name: (1, "name", None),
    folder: (1, "name", None),
    deflated: (1, "compressed", MIMETYPE),
    bomb_by_ratio: (1, "compressed", MIMETYPE),
    bomb_by_overlapping: (1, "file_place", "README.en.txt"),
    bomb_by_many_files: (1, "too_many_files", None),
    encrypted: (1, "encrypted", MIMETYPE),
    data_descriptor: (1, "header", MIMETYPE),
    symbolic_link: (1, "not_a_file", MIMETYPE),
    headers_that_disagree: (1, "header", "README.en.txt"),
    local_header_with_a_size: (1, "header", MIMETYPE),
    zip64: (1, "end_record", None),
    several_disks: (1, "end_record", None),
    no_type: (1, "media_type", MIMETYPE),
    another_order: (1, "order", None),
    cut_short: (1, "not_a_packet", None),
    nothing: (1, "not_a_packet", None),
    file_replaced: (2, "digest", "references/1/original.jpg"),
    file_added: (2, "not_covered", "extra.txt"),
    file_removed: (2, "missing", "report.en.pdf"),
    file_added_beside_the_seal: (4, "not_explained", "META-INF/notes.txt"),
    manifest_rewritten: (3, "seal_wrong", MANIFEST),
    manifest_with_a_space: (2, "manifest", MANIFEST),
    manifest_of_one_long_line: (2, "not_covered", "README.en.txt"),
    no_manifest: (2, "missing", MANIFEST),
    no_seal: (3, "missing", SEAL),
    seal_that_is_none: (3, "seal_malformed", SEAL),
    seal_with_trailing_bytes: (3, "seal_malformed", SEAL),
    seal_of_another_packet: (3, "seal_wrong", MANIFEST),
}
