"""Signed notes: what is one, whose signature counts, and what refuses it."""

import base64

import pytest
from small_log import LOG, ONE, key

from imgguard.errors import InputError, NoteInvalid
from imgguard.provenance.ed25519 import InvalidSignature, is_public_key, verify_ed25519
from imgguard.provenance.notes import Note, NoteSignature, Signer, VerifierKey, open_note, parse_note, sign_note

PUBLISHED = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
""".encode()
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
"""From the documentation of Go's golang.org/x/mod/sumdb/note."""

OTHER = Signer("other.example.org", key("other"))


def test_a_published_note_opens() -> None:
    known = VerifierKey.parse(PUBLISHED_KEY)
    assert known.text == PUBLISHED_KEY
    note, signed = open_note(PUBLISHED, [known])
    assert note.text.endswith("what your problem is.\n")
    assert signed == (known,)
    assert note.to_bytes() == PUBLISHED


def test_a_note_says_who_of_those_known_has_signed() -> None:
    data = sign_note("text\n\nmore\n", [LOG, OTHER])
    note, signed = open_note(data, [OTHER.key, ONE.key])
    assert (note.text, signed) == ("text\n\nmore\n", (OTHER.key,))
    assert open_note(data, [OTHER.key, LOG.key, LOG.key])[1] == (OTHER.key, LOG.key)


def test_a_wrong_signature_by_a_known_key_refuses_the_note() -> None:
    good = parse_note(sign_note("text\n", [LOG, OTHER]))
    wrong = NoteSignature(LOG.key.name, LOG.key.key_id, good.signatures[1].signature)
    data = Note(good.text, (wrong, good.signatures[1])).to_bytes()
    with pytest.raises(NoteInvalid, match=r"log\.example\.org/imgguard is wrong"):
        open_note(data, [OTHER.key, LOG.key])
    assert open_note(data, [OTHER.key])[1] == (OTHER.key,)
    twice = Note(good.text, (good.signatures[0], wrong)).to_bytes()
    with pytest.raises(NoteInvalid, match="is wrong"):
        open_note(twice, [LOG.key])


def test_name_and_id_together_make_a_key() -> None:
    good = parse_note(sign_note("text\n", [LOG]))
    (line,) = good.signatures
    for name, key_id in ((LOG.key.name, b"\0\0\0\0"), ("else.example.org", LOG.key.key_id)):
        data = Note(good.text, (NoteSignature(name, key_id, line.signature),)).to_bytes()
        with pytest.raises(NoteInvalid, match="no known key"):
            open_note(data, [LOG.key])


def test_no_keys_open_nothing() -> None:
    with pytest.raises(NoteInvalid, match="no known key"):
        open_note(PUBLISHED, [])


def test_a_key_of_an_unknown_type_is_passed_over() -> None:
    quantum = VerifierKey.of(LOG.key.name, 0x06, b"\1" * 1312)
    data = sign_note("text\n", [LOG])
    assert open_note(data, [quantum, LOG.key])[1] == (LOG.key,)
    assert VerifierKey.parse(quantum.text) == quantum
    foreign = VerifierKey.parse("name+01020304+" + base64.b64encode(b"\x02der").decode())
    assert foreign.key_id == b"\1\2\3\4"


@pytest.mark.parametrize("at", range(len(PUBLISHED)))
def test_no_altered_byte_passes(at: int) -> None:
    for bit in (1, 2, 16, 32, 128):
        data = PUBLISHED[:at] + bytes([PUBLISHED[at] ^ bit]) + PUBLISHED[at + 1 :]
        with pytest.raises(NoteInvalid):
            open_note(data, [VerifierKey.parse(PUBLISHED_KEY)])


LINE = PUBLISHED.split(b"\n\n")[1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text" + LINE,
        b"text\n" + LINE,
        b"text\n\n" + LINE[:-1],
        b"text\n\n" + LINE + b"\n",
        b"text\r\n\n" + LINE,
        b"te\txt\n\n" + LINE,
        b"te\0xt\n\n" + LINE,
        b"te\xffxt\n\n" + LINE,
        b"te\xed\xa0\x80xt\n\n" + LINE,
        b"text\n\n" + LINE + b"more\n",
        b"text\n\n" + LINE.replace("—".encode(), b"-"),
        b"text\n\n" + LINE.replace(b"Neumann ", b"Neumann  "),
        b"text\n\n" + LINE.replace(b"Neumann", b"Neu+mann"),
        b"text\n\n" + LINE.replace(b"Neumann", "Neu\u00a0mann".encode()),
        b"text\n\n" + LINE.replace(b"Neumann", "Neu\u3000mann".encode()),
        b"text\n\n" + LINE.replace(b"PeterNeumann", b""),
        b"text\n\n" + LINE.replace(b"=", b""),
        b"text\n\n" + LINE.replace(b"=", b"=="),
        b"text\n\n" + LINE.replace(b"AM=", b"AN="),
        b"text\n\n" + LINE.replace(b"/", b"_"),
        b"text\n\n" + LINE.replace(b"x08", b" x08"),
        b"text\n\n" + "— name AAAAAA==\n".encode(),
        b"text\n\n" + LINE * 101,
        b"x" * 65_536 + b"\n\n" + LINE,
    ],
)
def test_what_is_no_note(data: bytes) -> None:
    with pytest.raises(NoteInvalid):
        parse_note(data)


def test_a_note_may_be_long_and_have_many_signatures() -> None:
    assert len(parse_note(b"x" * 60_000 + b"\n\n" + LINE).text) == 60_001
    assert len(parse_note(b"text\n\n" + LINE * 100).signatures) == 100


@pytest.mark.parametrize("text", ["", "text", "te\txt\n", "te\ud800xt\n", "x" * 70_000 + "\n"])
def test_other_text_is_not_signed(text: str) -> None:
    with pytest.raises(InputError):
        sign_note(text, [LOG])


def test_text_that_ends_with_lines_like_signatures_stays_text() -> None:
    data = sign_note("a\n\n— b AAAA\n", [LOG])
    assert open_note(data, [LOG.key])[0].text == "a\n\n— b AAAA\n"


def test_a_note_without_signatures_is_not_written() -> None:
    with pytest.raises(InputError):
        sign_note("text\n", [])
    with pytest.raises(InputError):
        sign_note("text\n", [ONE])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        PUBLISHED_KEY.replace("c74f20a3", "c74f20a4"),
        PUBLISHED_KEY.replace("c74f20a3", "C74F20A3"),
        PUBLISHED_KEY.replace("PeterNeumann", "PeterNeumenn"),
        PUBLISHED_KEY.replace("PeterNeumann", ""),
        PUBLISHED_KEY[:-4],
        PUBLISHED_KEY + "=",
        PUBLISHED_KEY + "\n",
        PUBLISHED_KEY + "+AAAA",
        "x+00000000+",
        "x+00000000+AQ==",
    ],
)
def test_other_texts_are_no_keys(text: str) -> None:
    with pytest.raises(InputError):
        VerifierKey.parse(text)


P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def test_keys_of_small_order_are_refused_since_under_them_signatures_fit_many_messages() -> None:
    eighth = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
    assert (D * pow(eighth, 4, P) + 2 * pow(eighth, 2, P) - 1) % P == 0, "its double has y = 0, so is of order 4"
    for y in (0, 1, P - 1, eighth, P - eighth, P, P + 1):
        for sign in (0, 2**255):
            weak = (y + sign).to_bytes(32, "little")
            assert not is_public_key(weak)
            with pytest.raises(InvalidSignature):
                verify_ed25519(weak, (1).to_bytes(32, "little") + bytes(32), b"message")
            with pytest.raises(InputError):
                VerifierKey.of("name", 1, weak)
    assert is_public_key(LOG.key.public_key)
    assert not is_public_key(LOG.key.public_key[:31])


def test_a_signature_has_one_form_only() -> None:
    """S below the order of the group (RFC 8032, 5.1.7): else anybody could write a second signature."""
    order = 2**252 + 27742317777372353535851937790883648493
    signature = LOG.sign(b"message")
    verify_ed25519(LOG.key.public_key, signature, b"message")
    larger = int.from_bytes(signature[32:], "little") + order
    for other in (signature[:32] + larger.to_bytes(32, "little"), signature + b"\0", signature[:63], b""):
        with pytest.raises(InvalidSignature):
            verify_ed25519(LOG.key.public_key, other, b"message")


@pytest.mark.parametrize("text", ["a\n", "a\n\n", "\n", "\n\n\n", "a\nb\n"])
def test_newlines_of_the_text_are_kept(text: str) -> None:
    assert open_note(sign_note(text, [LOG]), [LOG.key])[0].text == text
