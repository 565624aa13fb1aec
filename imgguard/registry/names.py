"""Names and addresses that people type: what is accepted, and when two of them are the same."""

import unicodedata

from imgguard.errors import ConfigurationError

LONGEST_NAME = 200
LONGEST_EMAIL = 254
"""RFC 5321 allows a path of 256 characters, angle brackets included."""


def is_name(text: str) -> bool:
    """Whether ``text`` can name an owner, an organisation, a member or a key."""
    return 0 < len(text) <= LONGEST_NAME and text == text.strip() and text.isprintable()


def composed(text: str) -> str:
    """``text`` in composed form (NFC), each run of spaces one, none around it: the same name however it was typed."""
    return " ".join(part for part in unicodedata.normalize("NFC", text).split(" ") if part).strip()


def owner_name(text: str) -> str:
    """``text`` as an owner's name, composed. Raises ConfigurationError when it cannot name anybody."""
    name = composed(text)
    if not is_name(name):
        raise ConfigurationError(
            f"an owner's name has 1 to {LONGEST_NAME} printable characters, not {text!r}", hint="Change --owner."
        )
    return name


def is_email(text: str) -> bool:
    """Whether ``text`` has the form of an address. Whether it is one, only sending mail to it would tell."""
    local, at, domain = text.rpartition("@")
    return (
        bool(local and at and domain)
        and len(text) <= LONGEST_EMAIL
        and text.isprintable()
        and not any(character.isspace() for character in text)
    )


def email_key(email: str) -> str:
    """Equal for addresses that count as the same: caseless, and however accents are written (Unicode, D145)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", email).casefold())
