"""Where and when the picture of a check was fetched: what is kept of that, and what is shown."""

from imgguard.ports import Capture, Fetched
from imgguard.services.contract import Captured


def capture_of(fetched: Fetched) -> Capture:
    """What a check keeps of a fetch. There is no user name or password to leave out: such a URL is not fetched."""
    return Capture(
        url=fetched.url.partition("#")[0],
        final_url=fetched.final_url,
        address=fetched.address,
        status=fetched.status,
        declared_type=fetched.declared_type,
        byte_length=len(fetched.data),
        fetched_at=fetched.finished_at.replace(microsecond=0),
    )


def captured_view(capture: Capture | None) -> Captured | None:
    """What whoever may see the check is shown of it."""
    if capture is None:
        return None
    return Captured(url=capture.url, final_url=capture.final_url, fetched_at=capture.fetched_at)
