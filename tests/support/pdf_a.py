"""What ISO 19005-3 level B asks of a file, as far as it can be read off its objects with pypdf; numbers are clauses.

Not a validator: content streams, colours and glyphs are looked at by none of this.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

_PRINT, _UNSEEN = 4, 0b100011  # flags of annotations: print; invisible, hidden, no view
_FORBIDDEN = {
    f"/{kind}" for kind in ("JavaScript", "Launch", "Sound", "Movie", "ResetForm", "ImportData", "Hide", "Rendition")
}
_XMP = {
    "/Title": "{http://purl.org/dc/elements/1.1/}title",
    "/Subject": "{http://purl.org/dc/elements/1.1/}description",
    "/Creator": "{http://ns.adobe.com/xap/1.0/}CreatorTool",
    "/Producer": "{http://ns.adobe.com/pdf/1.3/}Producer",
    "/CreationDate": "{http://ns.adobe.com/xap/1.0/}CreateDate",
    "/ModDate": "{http://ns.adobe.com/xap/1.0/}ModifyDate",
}
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def broken_clauses(reader: PdfReader, data: bytes) -> list[str]:
    """Of the file ``data``, which ``reader`` reads: empty when nothing was found."""
    objects = list(_objects(reader.trailer))
    return [clause for clause, holds in _CLAUSES.items() if not holds(reader, data, objects)]


def _objects(start: Any) -> Iterator[DictionaryObject]:
    seen, left = set[int](), [start]
    while left:
        value = left.pop()
        if isinstance(value, IndirectObject):
            if value.idnum in seen:
                continue
            seen.add(value.idnum)
            value = value.get_object()
        if isinstance(value, DictionaryObject):
            yield value
            left += value.values()
        elif isinstance(value, ArrayObject):
            left += value


def _header(_reader: PdfReader, data: bytes, _objects: list[DictionaryObject]) -> bool:
    first, second = data[:200].split(b"\n", 2)[:2]
    return re.fullmatch(rb"%PDF-1\.[0-7]", first) is not None and second[:1] == b"%" and min(second[1:5]) > 127


def _trailer(reader: PdfReader, _data: bytes, _objects: list[DictionaryObject]) -> bool:
    return "/ID" in reader.trailer and "/Encrypt" not in reader.trailer


def _streams(_reader: PdfReader, _data: bytes, objects: list[DictionaryObject]) -> bool:
    streams = [one for one in objects if isinstance(one, StreamObject)]
    return bool(streams) and not any("/F" in one or "LZW" in str(one.get("/Filter")) for one in streams)


def _output_intent(reader: PdfReader, _data: bytes, _objects: list[DictionaryObject]) -> bool:
    intents = [one.get_object() for one in reader.root_object.get("/OutputIntents", ())]
    profiles = [one["/DestOutputProfile"].get_data() for one in intents if one.get("/S") == "/GTS_PDFA1"]
    return len(profiles) == 1 and profiles[0][36:40] == b"acsp"


def _fonts(_reader: PdfReader, _data: bytes, objects: list[DictionaryObject]) -> bool:
    descriptors = [one for one in objects if one.get("/Type") == "/FontDescriptor"]
    simple = [one for one in objects if one.get("/Type") == "/Font" and one.get("/Subtype") != "/Type0"]
    embedded = [any(f"/FontFile{number}" in one for number in ("", 2, 3)) for one in descriptors]
    return bool(simple) and all(embedded) and all("/FontDescriptor" in one for one in simple)


def _annotations(reader: PdfReader, _data: bytes, _objects: list[DictionaryObject]) -> bool:
    found = [one.get_object() for page in reader.pages for one in page.get("/Annots", ())]
    flagged = [one for one in found if one.get("/Subtype") != "/Popup"]
    return bool(found) and all(one.get("/F", 0) & _PRINT and not one["/F"] & _UNSEEN for one in flagged)


def _appearances(reader: PdfReader, _data: bytes, _objects: list[DictionaryObject]) -> bool:
    for page in reader.pages:
        for one in (found.get_object() for found in page.get("/Annots", ())):
            left, bottom, right, top = map(float, one["/Rect"])
            is_seen = left != right and bottom != top
            if is_seen and one["/Subtype"] not in ("/Link", "/Popup") and list(one.get("/AP", ())) != ["/N"]:
                return False
    return True


def _form(reader: PdfReader, _data: bytes, objects: list[DictionaryObject]) -> bool:
    form = reader.root_object.get("/AcroForm", {})
    has_actions = any("/AA" in one for one in objects)
    return "/XFA" not in form and not form.get("/NeedAppearances", False) and not has_actions


def _actions(_reader: PdfReader, _data: bytes, objects: list[DictionaryObject]) -> bool:
    return not any(one.get("/S") in _FORBIDDEN or "/JavaScript" in one or "/JS" in one for one in objects)


def _metadata(reader: PdfReader, _data: bytes, _objects: list[DictionaryObject]) -> bool:
    """XMP is there, uncompressed, names part 3 and level B, and says what the document information says."""
    stream = reader.root_object["/Metadata"]
    tree = ElementTree.fromstring(stream.get_data())
    said = {one.tag: "".join(one.itertext()) for one in tree.iter()}
    for description in tree.iter(f"{_RDF}Description"):
        said |= dict(description.attrib)
    part = [said.get(f"{{http://www.aiim.org/pdfa/ns/id/}}{name}") for name in ("part", "conformance")]
    told = {name: (str(value), said.get(_XMP[name], "")) for name, value in (reader.metadata or {}).items()}
    return "/Filter" not in stream and part == ["3", "B"] and all(map(_same, told.values()))


def _same(pair: tuple[str, str]) -> bool:
    """Times are written in two ways."""
    information, xmp = pair
    if information.startswith("D:"):
        return re.sub(r"\D", "", information)[:14] == re.sub(r"\D", "", xmp)[:14]
    return information == xmp


def _attachments(reader: PdfReader, _data: bytes, objects: list[DictionaryObject]) -> bool:
    specifications = [one for one in objects if "/EF" in one]
    whole = [
        {"/F", "/UF", "/AFRelationship"} <= set(one) and "/Subtype" in one["/EF"]["/F"].get_object()
        for one in specifications
    ]
    return len(reader.root_object.get("/AF", ())) == len(specifications) > 0 and all(whole)


_CLAUSES: dict[str, Callable[[PdfReader, bytes, list[DictionaryObject]], bool]] = {
    "6.1.2 header": _header,
    "6.1.3 trailer": _trailer,
    "6.1.7 streams": _streams,
    "6.2.3 output intent": _output_intent,
    "6.2.11.4 fonts": _fonts,
    "6.3.2 annotations": _annotations,
    "6.3.3 appearances": _appearances,
    "6.4 forms": _form,
    "6.5 actions": _actions,
    "6.6 metadata": _metadata,
    "6.8 attachments": _attachments,
}
