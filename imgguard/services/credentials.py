"""Content Credentials for the services: read, set beside the times of EXIF, kept as JSON text with a content."""

from collections.abc import Sequence

from imgguard.imaging import credentials_json
from imgguard.imaging.credentials import (
    ContentCredentials,
    CredentialsReader,
    CredentialState,
    Unread,
    to_json,
    unreadable,
    with_remarks,
)
from imgguard.imaging.image import DeclaredTime


def credentials_in(
    data: bytes, declared_times: Sequence[DeclaredTime], reader: CredentialsReader
) -> ContentCredentials | None:
    """What a file that could be decoded says of its making; None when it says nothing. Raises DependencyError."""
    credentials = reader.credentials(data)
    if credentials.state is CredentialState.NONE:
        return None
    return with_remarks(credentials, declared_times)


def kept(credentials: ContentCredentials | None) -> str | None:
    """As `Content` has them."""
    return None if credentials is None else to_json(credentials)


def credentials_of(text: str | None) -> ContentCredentials | None:
    """Those that were `kept`. Damaged ones are ``unreadable``: they are no reason to show nothing of an original."""
    if text is None:
        return None
    try:
        return credentials_json.parse(text)
    except ValueError:
        return unreadable(Unread.DAMAGED)
