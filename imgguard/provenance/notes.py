"""Text that several keys have signed (C2SP signed-note 1.0.0).

A key of a note has a name, a type and the public key; its id, four bytes, is derived from them. The text of a note is
to be read only after `open_note`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imgguard.errors import InputError, NoteInvalid
from imgguard.provenance.ed25519 import InvalidSignature, is_public_key, public_bytes, verify_ed25519

ED25519 = 0x01
COSIGNATURE = 0x04
"""Types of keys that this version verifies: `imgguard.provenance.checkpoints` has the second one."""

LONGEST_NOTE = 65_536
MOST_SIGNATURES = 100

_ID_BYTES = 4
_DERIVED_ID = (ED25519, COSIGNATURE, 0x06)
"""Types whose specifications say how the id follows from name and key; 0x06 is ML-DSA-44."""

_ID = re.compile(r"[0-9a-f]{8}")
_DASH = "\u2014"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """``public_key`` in the encoding of its type. A key of an unknown type is carried, but verifies nothing."""

    name: str
    key_type: int
    public_key: bytes
    key_id: bytes

    @classmethod
    def of(cls, name: str, key_type: int, public_key: bytes) -> Self:
        """Raises InputError for what cannot be the name of a key, or a key of that type."""
        if not is_key_name(name):
            raise InputError(f"a key's name has no spaces, plus signs and control characters, not {name[:80]!r}")
        if key_type in (ED25519, COSIGNATURE) and not is_public_key(public_key):
            raise InputError(f"the key of {name} is not an Ed25519 public key")
        head = f"{name}\n".encode() + bytes([key_type])
        return cls(name, key_type, public_key, hashlib.sha256(head + public_key).digest()[:_ID_BYTES])

    @classmethod
    def parse(cls, text: str) -> Self:
        """From a text as `text` gives it ("vkey"). Raises InputError, also when the id is not that of the key."""
        name, _, rest = text.partition("+")
        given, _, encoded = rest.partition("+")
        data = _from_base64(encoded)
        if not _ID.fullmatch(given) or data is None or len(data) < 2:
            raise InputError(f"this is not the text of a key: {text[:80]!r}", hint="It has the form name+id+base64.")
        found = cls.of(name, data[0], data[1:])
        if found.key_type in _DERIVED_ID and found.key_id.hex() != given:
            raise InputError(f"the id of the key {name} is {found.key_id.hex()}, not {given}")
        return replace(found, key_id=bytes.fromhex(given))

    @property
    def text(self) -> str:
        """``name+id+base64``: the id in hex, the type and the public key in base64."""
        encoded = base64.b64encode(bytes([self.key_type]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


class Signer:
    """A private key with the name under which it signs. ``key`` is what verifies it."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey, *, key_type: int = ED25519) -> None:
        """Raises InputError for a name that cannot be."""
        self._private_key = private_key
        self.key = VerifierKey.of(name, key_type, public_bytes(private_key))

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._private_key.sign(message)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line below the text; ``signature`` is in the form of the key's type."""

    name: str
    key_id: bytes
    signature: bytes

    def is_by(self, key: VerifierKey) -> bool:
        """Whether it says that it was made with ``key``. That is not to say that it was."""
        return (self.name, self.key_id) == (key.name, key.key_id)

    @property
    def line(self) -> str:
        return f"{_DASH} {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """``text`` ends with a newline. Not verified: `open_note` does that."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        """The same bytes that it was parsed from. Raises InputError for what would be no note."""
        data = (self.text + "\n" + "".join(one.line for one in self.signatures)).encode("utf-8", "surrogatepass")
        try:
            if parse_note(data) == self:
                return data
        except NoteInvalid as error:
            raise InputError(f"this is no note: {error.detail}") from error
        raise InputError("this is no note: its text would not be told from its signatures")


def is_key_name(name: str) -> bool:
    """Whether ``name`` can be that of a key: no Unicode spaces, no plus, no control characters."""
    return name != "" and not any(
        one.isspace() or one < " " or one == "+" or "\ud800" <= one <= "\udfff" for one in name
    )


def parse_note(data: bytes) -> Note:
    """The text and the signatures, none of them verified.

    1  it is short enough, UTF-8, and without control characters but newlines
    2  the text ends before the last empty line, with a newline
    3  each line below is a dash, the name of a key and the base64 of its id and of a signature

    Raises NoteInvalid.
    """
    # 1
    if len(data) > LONGEST_NOTE:
        raise NoteInvalid(f"a note has at most {LONGEST_NOTE} bytes, not {len(data)}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteInvalid("the note is not UTF-8") from error
    if any(one < " " and one != "\n" for one in whole):
        raise NoteInvalid("the note has a control character")
    # 2
    before, gap, below = whole.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise NoteInvalid("the note has no signatures below an empty line, or its last line does not end")
    # 3
    lines = below[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteInvalid(f"a note has at most {MOST_SIGNATURES} signatures, not {len(lines)}")
    return Note(before + "\n", tuple(_parse_line(line) for line in lines))


def _parse_line(line: str) -> NoteSignature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    data = _from_base64(encoded)
    if dash != _DASH or not is_key_name(name) or data is None or len(data) <= _ID_BYTES:
        raise NoteInvalid(f"this is not the line of a signature: {line[:80]!r}")
    return NoteSignature(name, data[:_ID_BYTES], data[_ID_BYTES:])


def _from_base64(text: str) -> bytes | None:
    """None for what the encoder would not have written: other characters, spaces, padding or spare bits."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def sign_note(text: str, signers: Iterable[Signer]) -> bytes:
    """The note of ``text`` with a signature by each, which are of type `ED25519`. Raises InputError."""
    signatures = []
    for signer in signers:
        if signer.key.key_type != ED25519:
            raise InputError(f"the key {signer.key.name} is not for notes")
        signature = signer.sign(text.encode("utf-8", "surrogatepass"))
        signatures.append(NoteSignature(signer.key.name, signer.key.key_id, signature))
    return Note(text, tuple(signatures)).to_bytes()


def open_note(data: bytes, keys: Sequence[VerifierKey]) -> tuple[Note, tuple[VerifierKey, ...]]:
    """The note, and which of ``keys`` have signed it, in their order.

    1  it is a note
    2  signatures by keys that are not among ``keys``, or of other types than `ED25519`, are passed over
    3  every other signature is right: a single wrong one refuses the note
    4  there is one at least

    Raises NoteInvalid.
    """
    # 1
    note = parse_note(data)
    signed = []
    for key in keys:
        # 2
        lines = [one for one in note.signatures if one.is_by(key)] if key.key_type == ED25519 else []
        # 3
        for one in lines:
            try:
                verify_ed25519(key.public_key, one.signature, note.text.encode())
            except InvalidSignature as error:
                raise NoteInvalid(f"the signature of {key.name} is wrong") from error
        if lines and key not in signed:
            signed.append(key)
    # 4
    if not signed:
        raise NoteInvalid("no known key has signed the note")
    return note, tuple(signed)
