"""What a handler gets: the bytes of one picture, wherever they come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from imgguard.bootstrap import Services
from imgguard.errors import InputError
from imgguard.ports import Accept, ClaimedItem, Fetched
from imgguard.registry.access import Actor
from imgguard.services.account_objects import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemInput:
    """``fetched`` says where and when ``data`` came from, if from a URL."""

    file: str
    data: bytes = field(repr=False)
    fetched: Fetched | None = None


type Handler = Callable[[Actor, ItemInput, Mapping[str, object]], Mapping[str, object]]
"""Does the work on one picture on behalf of an actor, with the options of the job; gives plain JSON.

It may be called again for an item whose first attempt was lost, so doing it twice must do no harm.
"""

type Handlers = Mapping[str, Handler]
"""By the kind of job."""


def reader(services: Services) -> Callable[[ClaimedItem], ItemInput]:
    """A function that gets the input of an item.

    It raises FetchRefused, FetchFailed, and what `BlobStore.get` raises.
    """

    def read(item: ClaimedItem) -> ItemInput:
        if item.sha256 is not None:
            return ItemInput(file=item.file, data=services.blobs.get(item.sha256))
        if item.url is None:
            raise InputError(f"item {item.position} of {item.job_id} has neither bytes nor a URL")
        fetched = services.fetcher.fetch(item.url, accept=Accept.IMAGE, max_bytes=services.settings.max_image_bytes)
        return ItemInput(file=item.file, data=fetched.data, fetched=fetched)

    return read


def fetched_object(fetched: Fetched) -> dict[str, object]:
    """Where and when a picture was fetched, as plain JSON: a result has it as ``fetched``."""
    return {
        "url": fetched.url,
        "final_url": fetched.final_url,
        "address": fetched.address,
        "media_type": fetched.media_type,
        "fetched_at": iso(fetched.finished_at),
    }
