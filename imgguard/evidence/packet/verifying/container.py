"""The ZIP of a packet, in one spelling only: what `write_container` writes, byte for byte.

Nothing is compressed: pictures and PDFs are already, deflate streams differ from one zlib to the next and have bits
that mean nothing, and what is not compressed cannot be a bomb. All fields of all headers follow from names, contents
and one time. So no byte is free, and two programs cannot read two different packets from one file.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import NoReturn

from imgguard.errors import InputError, PacketInvalid
from imgguard.evidence.packet.verifying.layout import LONGEST_NAME, MEDIA_TYPE, MIMETYPE, in_order, is_name

MOST_MEMBERS = 10_000
LARGEST_PACKET = 2 * 1024**3

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

_NEEDED, _MADE_BY = 20, (3 << 8) | 20
"""Version 2.0 of the format; made on Unix, so that the attributes are those of a file there."""
_PLAIN_FILE = 0o100644 << 16
_ENCRYPTED, _DESCRIPTOR, _STORED = 0x0001, 0x0008, 0
_ZIP64 = 0xFFFFFFFF
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """``start`` is where its bytes begin. ``crc`` is CRC-32; ``sha256`` in hexadecimal."""

    name: str
    start: int
    size: int
    crc: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Container:
    """A packet whose ZIP is as it must be; its contents are not verified. ``made_at`` is to two seconds, UTC."""

    data: memoryview
    members: Mapping[str, Member]
    made_at: datetime

    def read(self, name: str, *, most_bytes: int) -> bytes:
        """Raises PacketInvalid when there is no such file, or a larger one."""
        member = self.members.get(name)
        if member is None:
            raise PacketInvalid("this file is missing", reason="missing", file=name)
        if member.size > most_bytes:
            raise PacketInvalid(f"it has more than {most_bytes} bytes", reason="too_large", file=name)
        return bytes(self.data[member.start : member.start + member.size])


def write_container(files: Mapping[str, bytes], *, made_at: datetime) -> bytes:
    """The packet of ``files``, by name; an even second is made of ``made_at`` (aware, 1980 to 2107).

    Raises InputError for names or sizes that cannot be.
    """
    time, date = _dos_time(made_at)
    if len(files) > MOST_MEMBERS:
        raise InputError(f"a packet has at most {MOST_MEMBERS} files")
    if len({name.lower() for name in files}) < len(files) or not all(map(is_name, files)):
        raise InputError("the name of a file cannot be in a packet, or is there twice")
    parts, central, start = [], [], 0
    for name in in_order(list(files)):
        data = files[name]
        crc = zlib.crc32(data)
        parts += [_local(name, time, date, crc, len(data)), data]
        central.append(_entry(name, time, date, crc, len(data), start))
        start += _LOCAL.size + len(name) + len(data)
    if start + sum(map(len, central)) + _END.size > LARGEST_PACKET:
        raise InputError(f"a packet has at most {LARGEST_PACKET} bytes", hint="Enclose fewer originals.")
    return b"".join([*parts, *central, _end(len(files), sum(map(len, central)), start)])


def read_container(data: bytes | memoryview, *, largest: int = LARGEST_PACKET, most: int = MOST_MEMBERS) -> Container:
    """The members of a packet.

    1  it is small enough, and ends with the one end record: no comment, nothing behind it, no ZIP64
    2  each entry of the directory is a plain file, neither encrypted nor compressed, of a name that can be, once
    3  the files lie one behind the other from the first byte on, up to the directory: nothing before or between them
    4  their checksums are right
    5  they are in order, the type first, and all headers are what `write_container` writes

    Raises PacketInvalid.
    """
    view = memoryview(data).toreadonly()
    # 1
    if len(view) > largest:
        _fail("too_large", f"it has {len(view)} bytes, and at most {largest} are read")
    if len(view) < _END.size or bytes(view[-_END.size :][:4]) != _END_MARK:
        _fail("not_a_packet", "it does not end as a packet does: it is none, is cut short, or has bytes behind its end")
    _, disk, first_disk, here, count, size, start, comment = _END.unpack(view[-_END.size :])
    if disk or first_disk or here != count or comment or _ZIP64 in (size, start):
        _fail("end_record", "the end record is of several parts, of ZIP64, or has a comment")
    if count > most:
        _fail("too_many_files", f"it has {count} files, and at most {most} are read")
    if start + size + _END.size != len(view):
        _fail("directory_place", "the directory is not where the end record says, or there are bytes around it")
    # 2
    entries = _directory(view[start : start + size], count)
    # 3
    position, members = 0, {}
    for name, (crc, length, offset) in entries.items():
        begin = position + _LOCAL.size + len(name)
        if offset != position or begin + length > start:
            _fail("file_place", "it does not lie behind the file before it", name)
        contents = view[begin : begin + length]
        # 4
        found, digest = _sums(contents)
        if found != crc:
            _fail("damaged", "its checksum is wrong", name)
        members[name] = Member(name=name, start=begin, size=length, crc=crc, sha256=digest)
        position = begin + length
    if position != start:
        _fail("file_place", "there are bytes between the files and the directory")
    # 5
    made_at = _check_spelling(view, list(members.values()), start)
    return Container(view, members, made_at)


def _directory(view: memoryview, count: int) -> dict[str, tuple[int, int, int]]:
    """CRC, size and offset of each. Raises PacketInvalid."""
    found: dict[str, tuple[int, int, int]] = {}
    folded: set[str] = set()
    at = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(view):
            _fail("directory_place", "the directory is shorter than its end record says")
        (mark, _, _, flags, method, _, _, crc, packed, size, name_length, extra, comment, _, _, mode, offset) = (
            _CENTRAL.unpack_from(view, at)
        )
        if mark != _CENTRAL_MARK or name_length > LONGEST_NAME:
            _fail("directory_place", "an entry of the directory is none")
        name = bytes(view[at + _CENTRAL.size : at + _CENTRAL.size + name_length]).decode("latin-1")
        if not is_name(name):
            _fail("name", f"a file may not be called {name[:80]!a}")
        if name.lower() in folded:
            _fail("name_twice", "two files have this name, but for upper and lower case", name)
        if flags & _ENCRYPTED:
            _fail("encrypted", "it is encrypted", name)
        if method != _STORED or packed != size:
            _fail("compressed", "it is compressed", name)
        if flags or extra or comment:
            what = "a descriptor behind it" if flags & _DESCRIPTOR else "flags, extra fields or a comment"
            _fail("header", f"it has {what}", name)
        if mode != _PLAIN_FILE:
            _fail("not_a_file", "it is a link, a folder or of another mode", name)
        found[name] = (crc, size, offset)
        folded.add(name.lower())
        at += _CENTRAL.size + name_length
    if at != len(view):
        _fail("directory_place", "there are bytes behind the directory")
    return found


def _check_spelling(view: memoryview, members: list[Member], start: int) -> datetime:
    names = [member.name for member in members]
    first = members[0] if members else None
    if first is None or first.name != MIMETYPE or bytes(view[first.start : first.start + first.size]) != MEDIA_TYPE:
        _fail("media_type", "the first file does not say that this is a packet", MIMETYPE)
    if names != in_order(names):
        _fail("order", "the files are not in their order")
    _, _, _, _, time, date, *_ = _LOCAL.unpack_from(view, 0)
    at, offset = start, 0
    for one in members:
        head = _local(one.name, time, date, one.crc, one.size)
        entry = _entry(one.name, time, date, one.crc, one.size, offset)
        if view[offset : offset + len(head)] != head or view[at : at + len(entry)] != entry:
            _fail("header", "its two headers disagree, or are not as they are written", one.name)
        at, offset = at + len(entry), one.start + one.size
    if view[at:] != _end(len(members), at - start, start):
        _fail("end_record", "the end record is not as it is written")
    return _from_dos(time, date)


def _sums(contents: memoryview) -> tuple[int, str]:
    crc, digest = 0, sha256()
    for at in range(0, len(contents), _CHUNK):
        chunk = contents[at : at + _CHUNK]
        crc = zlib.crc32(chunk, crc)
        digest.update(chunk)
    return crc, digest.hexdigest()


def _local(name: str, time: int, date: int, crc: int, size: int) -> bytes:
    head = _LOCAL.pack(_LOCAL_MARK, _NEEDED, 0, _STORED, time, date, crc, size, size, len(name), 0)
    return head + name.encode("ascii")


def _entry(name: str, time: int, date: int, crc: int, size: int, start: int) -> bytes:
    common = (_NEEDED, 0, _STORED, time, date, crc, size, size, len(name), 0)
    head = _CENTRAL.pack(_CENTRAL_MARK, _MADE_BY, *common, 0, 0, 0, _PLAIN_FILE, start)
    return head + name.encode("ascii")


def _end(count: int, size: int, start: int) -> bytes:
    return _END.pack(_END_MARK, 0, 0, count, count, size, start, 0)


def _dos_time(at: datetime) -> tuple[int, int]:
    utc = at.astimezone(UTC)
    if not 1980 <= utc.year <= 2107:
        raise InputError("the time of a packet lies between 1980 and 2107")
    return (
        (utc.hour << 11) | (utc.minute << 5) | (utc.second // 2),
        ((utc.year - 1980) << 9) | (utc.month << 5) | utc.day,
    )


def _from_dos(time: int, date: int) -> datetime:
    try:
        return datetime(
            1980 + (date >> 9), (date >> 5) & 15, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2, tzinfo=UTC
        )
    except ValueError:
        _fail("header", "the time of its files does not exist")


def _fail(reason: str, detail: str, file: str | None = None) -> NoReturn:
    raise PacketInvalid(detail, reason=reason, file=file)
