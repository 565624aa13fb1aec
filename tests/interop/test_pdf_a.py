"""The sealed reports are PDF/A-3b as far as pypdf can tell; sealing adds to what the typesetter wrote."""

import io
import zipfile
from collections.abc import Callable

import pytest
from packet_contents import contents
from pdf_a import broken_clauses
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, NumberObject, TextStringObject
from small_packet import SEAL

from imgguard.evidence.packet.building import build_packet

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def reports() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(build_packet(contents(), seal=SEAL))) as packet:
        return {language: packet.read(f"report.{language}.pdf") for language in ("en", "zh")}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sealed_report_keeps_to_it(language: str, reports: dict[str, bytes]) -> None:
    data = reports[language]
    assert broken_clauses(PdfReader(io.BytesIO(data)), data) == []


def _without(key: str) -> Callable[[PdfWriter], object]:
    return lambda writer: writer.root_object.pop(NameObject(key))


def _without_fonts(writer: PdfWriter) -> None:
    for one in writer._objects:
        if isinstance(one, DictionaryObject) and one.get("/Type") == "/FontDescriptor":
            for key in [key for key in one if key.startswith("/FontFile")]:
                del one[key]


def _hidden_seal(writer: PdfWriter) -> None:
    annotation = next(page["/Annots"] for page in writer.pages if "/Annots" in page)[0].get_object()
    annotation[NameObject("/F")] = NumberObject(2)


def _with_script(writer: PdfWriter) -> None:
    script = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(script)


@pytest.mark.parametrize(
    ("spoil", "clause"),
    [
        (_without("/OutputIntents"), "6.2.3 output intent"),
        (_without("/AF"), "6.8 attachments"),
        (_without_fonts, "6.2.11.4 fonts"),
        (_hidden_seal, "6.3.2 annotations"),
        (_with_script, "6.5 actions"),
        (lambda writer: writer.add_metadata({"/Title": TextStringObject("Another")}), "6.6 metadata"),
        (lambda writer: writer.encrypt("", algorithm="RC4-128"), "6.1.3 trailer"),
    ],
)
def test_what_breaks_it_is_noticed(
    spoil: Callable[[PdfWriter], object], clause: str, reports: dict[str, bytes]
) -> None:
    whole, broken = PdfWriter(clone_from=io.BytesIO(reports["en"])), PdfWriter(clone_from=io.BytesIO(reports["en"]))
    spoil(broken)
    found = []
    for writer in (whole, broken):
        data = io.BytesIO()
        writer.write(data)
        found.append(set(broken_clauses(PdfReader(data), data.getvalue())))
    before, after = found
    assert clause in after - before
