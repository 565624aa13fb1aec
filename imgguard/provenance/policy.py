"""Which logs to trust, and how many of which witnesses have to have seen a checkpoint (C2SP tlog-policy).

A policy comes from whoever verifies, never with the proof that is verified.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from imgguard.errors import InputError, PolicyInvalid
from imgguard.provenance.notes import COSIGNATURE, ED25519, VerifierKey

LONGEST_POLICY = 65_536
MOST_OF_EACH = 128
"""Logs, witnesses, groups. The specification asks for 32 at least."""

_NONE = "none"
_SPACES = re.compile(r"[ \t]+")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Log:
    """``url`` is what the policy says, or empty."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """``name`` is that within the policy; the key has one of its own."""

    name: str
    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Has seen what ``threshold`` of its ``members``, witnesses and groups, have seen."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """``groups`` stand behind those that they name. ``quorum`` is the name of a witness or a group, or ``none``."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        return tuple(one.key for one in self.logs)

    @property
    def witness_keys(self) -> tuple[VerifierKey, ...]:
        return tuple(one.key for one in self.witnesses)

    def quorum_holds(self, signed: Collection[VerifierKey]) -> bool:
        """Whether cosignatures by these keys, verified before, are enough."""
        if self.quorum == _NONE:
            return True
        seen = {one.name for one in self.witnesses if one.key in signed}
        for group in self.groups:
            if sum(member in seen for member in group.members) >= group.threshold:
                seen.add(group.name)
        return self.quorum in seen


def parse_policy(data: bytes) -> Policy:
    """Bytes beyond ASCII mean nothing: names are equal when their bytes are. Raises PolicyInvalid, with the line."""
    if len(data) > LONGEST_POLICY:
        raise PolicyInvalid(f"a policy has at most {LONGEST_POLICY} bytes, not {len(data)}")
    if data and not data.endswith(b"\n"):
        raise PolicyInvalid(f"line {data.count(b'\n') + 1}: it does not end with a newline")
    reader = _Reader()
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            reader.read(line)
        except InputError as error:
            raise PolicyInvalid(f"line {number}: {error.detail}") from error
    if reader.quorum is None:
        raise PolicyInvalid("no line says what the quorum is")
    return Policy(tuple(reader.logs), tuple(reader.witnesses), tuple(reader.groups), reader.quorum)


@dataclass(slots=True)
class _Reader:
    """What the lines so far have said. Raises InputError."""

    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def read(self, line: bytes) -> None:
        if any((one < 0x20 and one != 0x09) or one == 0x7F for one in line):
            raise InputError("it has a control character")
        text = line.decode("utf-8", "surrogateescape").strip(" \t")
        if not text or text.startswith("#"):
            return
        match _SPACES.split(text):
            case ["log", key, *url] if len(url) <= 1:
                self._add_log(key, *url)
            case ["witness", name, key, *url] if len(url) <= 1:
                self._add_witness(name, key, *url)
            case ["group", name, threshold, *members] if members:
                self._add_group(name, threshold, members)
            case ["quorum", name]:
                self._set_quorum(name)
            case [word, *_]:
                raise InputError(f"it is not a log, witness, group or quorum as they are written: {_shown(word)}")

    def _add_log(self, text: str, url: str = "") -> None:
        key = VerifierKey.parse(text)
        if key.key_type == COSIGNATURE:
            raise InputError(f"{key.name} is the key of a witness")
        if any(one.key.public_key == key.public_key for one in self.logs):
            raise InputError(f"the key of {key.name} is on a line before")
        _require_room(self.logs)
        self.logs.append(Log(key, url))

    def _add_witness(self, name: str, text: str, url: str = "") -> None:
        key = VerifierKey.parse(text)
        if key.key_type == ED25519:
            raise InputError(f"{key.name} is the key of a log")
        if any(one.key.public_key == key.public_key for one in self.witnesses):
            raise InputError(f"the key of {key.name} is on a line before")
        _require_room(self.witnesses)
        self._define(name)
        self.witnesses.append(Witness(name, key, url))

    def _add_group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            if member not in self.names:
                raise InputError(f"nothing before it is named {_shown(member)}")
            if member in self.members:
                raise InputError(f"{_shown(member)} is in a group already")
            self.members.add(member)
        if threshold in ("all", "any"):
            count = len(members) if threshold == "all" else 1
        else:
            count = int(threshold) if _THRESHOLD.fullmatch(threshold) else 0
        if not 1 <= count <= len(members):
            raise InputError(f"{_shown(threshold)} is not all, any, or a number of its {len(members)} members")
        _require_room(self.groups)
        self._define(name)
        self.groups.append(Group(name, count, tuple(members)))

    def _set_quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise InputError("a line before says what the quorum is")
        if name != _NONE and name not in self.names:
            raise InputError(f"nothing before it is named {_shown(name)}")
        self.quorum = name

    def _define(self, name: str) -> None:
        if name == _NONE or name in self.names:
            raise InputError(f"the name {_shown(name)} is taken")
        self.names.add(name)


def _require_room(entries: Collection[object]) -> None:
    if len(entries) >= MOST_OF_EACH:
        raise InputError(f"there are more than {MOST_OF_EACH} of them")


def _shown(text: str) -> str:
    return ascii(text[:40])
