"""The JSON of product feeds and their results, with the names and examples under which the API describes it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from imgguard.api.work_schemas import CHECK, JOB, Profile
from imgguard.feeds.records import Encoding, Form
from imgguard.services import feed_views

_URL = "https://shop.example/feed.xml"

FEED: dict[str, Any] = {
    "feed_id": "fed_01jnv7m1ba4t6v8x0z2b4d6f8h",
    "organisation_id": JOB["organisation_id"],
    "member_id": JOB["member_id"],
    "job_id": JOB["job_id"],
    "file": "feed.xml",
    "url": _URL,
    "form": "google",
    "encoding": "utf-8",
    "sha256": CHECK["sha256"],
    "product_count": 2,
    "picture_count": 3,
    "state": "running",
    "is_over": False,
    "done_count": 1,
    "failed_count": 0,
    "waiting_count": 2,
    "created_at": JOB["created_at"],
    "finished_at": None,
}
LINE: dict[str, Any] = {
    "row": 1,
    "product_id": "SKU-1",
    "title": "Blue dress",
    "link": "https://shop.example/blue-dress",
    "picture": "https://shop.example/blue-dress.jpg",
    "column": "image_link",
    "position": 1,
    "state": "done",
    "error": None,
    "finding_id": CHECK["finding_id"],
    "check": f"https://imgguard.example.org/?check={CHECK['finding_id']}",
    "verdict": "copy",
    "conclusion": "unlicensed",
    "matches": [
        {
            "match_id": f"{CHECK['finding_id']}.1",
            "is_own": False,
            "verdict": "copy",
            "strength": "very_strong",
            "standing": "unlicensed",
            "licence": {"status": "none", "licence_id": None, "ends_at": None, "because": []},
            "owner": "Sample Studio",
            "reference_id": None,
        }
    ],
}
SHEET = "\ufeffproduct_id,title,row,picture,...\r\nSKU-1,Blue dress,2,https://shop.example/blue-dress.jpg,...\r\n"


def _with(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [example]})


_Word = Annotated[str | None, Field(max_length=200)]


class FeedByUrl(BaseModel):
    """What is not said is found: the form from the names of columns or elements, the encoding from its mark or XML
    declaration, else UTF-8. The rest says what the listings are for."""

    model_config = _with({"url": _URL, "platform": "aliexpress", "territory": "DE"})

    url: str = Field(max_length=2000, description="http or https, of a public address.")
    form: Form | None = None
    encoding: Encoding | None = None
    profile: Profile | None = None
    platform: _Word = None
    territory: _Word = None
    shop: _Word = None
    kind: _Word = None


class Feed(feed_views.FeedView):
    """A product feed, and how far the job is that checks its pictures. ``waiting_count``: neither done nor failed; of
    one that is over, those that were cancelled."""

    model_config = _with(FEED)


class FeedLine(feed_views.FeedLineView):
    """One picture of one product; or a product that was passed over, without a picture."""

    model_config = _with(LINE)


class FeedResult(BaseModel):
    """In the order of the feed, with what is known by now."""

    model_config = _with({"items": [LINE]})

    items: list[FeedLine]
