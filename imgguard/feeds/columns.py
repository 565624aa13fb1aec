"""Which column of a table is what. docs/feeds.md shows these names; a test compares the two.

Names are compared without case, spaces, underscores and punctuation, and without a number behind them: `Image URL`,
`image_url` and `imageURL 2` are one.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from imgguard.feeds.records import Form


def key_of(name: str) -> str:
    """What is compared of the name of a column."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip().removeprefix("g:")
    letters = "".join(character for character in plain if character.isalnum())
    return letters.rstrip("0123456789") or letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """As `key_of` has them. ``marks``: other columns by which the form is told from others."""

    ids: frozenset[str]
    titles: frozenset[str]
    links: frozenset[str]
    pictures: frozenset[str]
    marks: frozenset[str] = frozenset()

    def known(self, keys: Sequence[str]) -> int:
        """How many of the columns are in these names."""
        every = self.ids | self.titles | self.links | self.pictures | self.marks
        return sum(key in every for key in keys)


def _names(text: str) -> frozenset[str]:
    return frozenset(map(key_of, text.split("/")))


_IDS = _names("Product ID/Item ID/Goods ID/ID/SKU/产品ID/产品编号/商品ID/商品编号/商品编码")
_TITLES = _names("Product Name/Product Title/Item Name/Subject/Title/Name/产品名称/产品标题/商品名称/商品标题/标题")
_LINKS = _names("Product URL/Product Link/Item URL/Link/URL/产品链接/商品链接/链接")
_PICTURES = _names(
    "Product Image/Product Images/Product Image URL/Product Image URLs/Image/Images/Image URL/Image URLs/Main Image/"
    "Main Images/Main Image URL/Product Main Image URL/Product Main Image/Additional Images/Additional Image URLs/"
    "All Image URLs/Product Small Image URLs/Product Picture/Product Pictures/Product Photo/Product Photos/"
    "产品图片/产品主图/商品图片/商品主图/主图/主图链接/图片/图片链接/图片地址/附图/详情图"
)

NAMES = {
    Form.GOOGLE: Names(
        ids=_names("id"),
        titles=_names("title"),
        links=_names("link"),
        pictures=_names("image_link/additional_image_link/lifestyle_image_link"),
    ),
    Form.ALIEXPRESS: Names(
        ids=_IDS,
        titles=_TITLES | _names("Product Desc"),
        links=_LINKS | _names("Product Detail URL/Promotion URL/Promotion Link"),
        pictures=_PICTURES,
        marks=_names("Commission Rate/Evaluate Score/Lot Num/Discount Price/Origin Price"),
    ),
    Form.ALIBABA: Names(
        ids=_IDS | _names("Offer ID"),
        titles=_TITLES,
        links=_LINKS | _names("Detail URL"),
        pictures=_PICTURES,
        marks=_names("MOQ/Min Order Quantity/Minimum Order Quantity/FOB Price/Group Name/起订量/最小起订量"),
    ),
}
GENERIC = Names(ids=_IDS | _names("Offer ID/Listing ID/Handle"), titles=_TITLES, links=_LINKS, pictures=frozenset())
PICTURE_WORDS = ("image", "picture", "photo", "img", "图")
"""In the name of a column of a generic table, one of these says that pictures may be in it."""


def form_of(keys: Sequence[str]) -> Form:
    """The form whose columns these are most likely."""
    if NAMES[Form.GOOGLE].pictures & set(keys):
        return Form.GOOGLE
    markets = [Form.ALIEXPRESS, Form.ALIBABA]
    if _PICTURES & set(keys) and any(NAMES[form].ids & set(keys) for form in markets):
        return max(markets, key=lambda form: NAMES[form].known(keys))
    return Form.GENERIC


def familiarity(keys: Sequence[str]) -> int:
    """How many of the columns are known in the form that knows most of them, or may hold pictures."""
    named = max(names.known(keys) for names in NAMES.values())
    return max(named, sum(may_hold_pictures(key) for key in keys))


def may_hold_pictures(key: str) -> bool:
    return any(word in key for word in PICTURE_WORDS)
