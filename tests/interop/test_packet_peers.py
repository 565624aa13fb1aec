"""Packets against programs that know nothing of imgguard: openssl, unzip, Python's zipfile, pdfsig, pyHanko."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hostile_packets import members_of
from packet_contents import contents
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from seal_certificates import certified
from small_packet import SEAL, small_packet

from imgguard.evidence.packet.building import build_packet
from imgguard.evidence.packet.seal_keys import SealKey

pytestmark = pytest.mark.interop

RSA = certified(rsa.generate_private_key(public_exponent=65537, key_size=2048))
P384 = certified(ec.generate_private_key(ec.SECP384R1()))


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    assert shutil.which(command[0]), f"{command[0]} is missing"
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packet")
    (folder / "packet.asice").write_bytes(build_packet(contents(), seal=SEAL))
    (folder / "seal.pem").write_bytes(SEAL.to_pem()[0])
    with zipfile.ZipFile(folder / "packet.asice") as archive:
        archive.extractall(folder)
    return folder


CMS = "cms -verify -cades -binary -inform DER -partial_chain -purpose any -attime 1780000000 -out /dev/null"


@pytest.mark.parametrize("seal", [SEAL, RSA, P384], ids=["P-256", "RSA", "P-384"])
def test_openssl_verifies_the_seal_and_notices_what_is_altered(seal: SealKey, tmp_path: Path) -> None:
    packet = small_packet()
    packet.seal = seal
    files = members_of(packet.to_bytes())
    manifest = files["META-INF/ASiCManifest.xml"]
    (tmp_path / "seal.pem").write_bytes(seal.to_pem()[0])
    (tmp_path / "seal.p7s").write_bytes(files["META-INF/signature.p7s"])
    (tmp_path / "manifest").write_bytes(manifest)
    (tmp_path / "altered").write_bytes(manifest.replace(b"packet.json", b"Packet.json"))
    arguments = ["openssl", *CMS.split(), "-in", "seal.p7s", "-CAfile", "seal.pem", "-content"]
    good, bad = (run(*arguments, content, cwd=tmp_path) for content in ("manifest", "altered"))
    assert good.returncode == 0, good.stderr
    assert "CAdES Verification successful" in good.stderr
    assert bad.returncode != 0


def test_unzip_and_python_find_nothing_wrong(folder: Path) -> None:
    assert "No errors" in run("unzip", "-t", "packet.asice", cwd=folder).stdout
    tested = run(sys.executable, "-m", "zipfile", "-t", "packet.asice", cwd=folder)
    assert tested.returncode == 0, tested.stderr


def test_file_knows_the_type(folder: Path) -> None:
    assert "application/vnd.etsi.asic-e+zip" in run("file", "packet.asice", cwd=folder).stdout


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pdfsig_and_pyhanko_accept_the_seal_of_a_report(language: str, folder: Path) -> None:
    said = run("pdfsig", f"report.{language}.pdf", cwd=folder).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said
    with (folder / f"report.{language}.pdf").open("rb") as file:
        (signature,) = PdfFileReader(file).embedded_signatures
        context = ValidationContext(trust_roots=[signature.signer_cert])
        status = validate_pdf_signature(signature, context)
    assert (status.intact, status.valid, status.trusted) == (True, True, True)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pdfsig_notices_an_altered_report(language: str, folder: Path, tmp_path: Path) -> None:
    data = bytearray((folder / f"report.{language}.pdf").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "altered.pdf").write_bytes(data)
    assert "Signature is Valid" not in run("pdfsig", "altered.pdf", cwd=tmp_path).stdout


def test_sha256sum_agrees_with_packet_json(folder: Path) -> None:
    from imgguard.evidence.packet.model import Packet

    packet = Packet.model_validate_json((folder / "packet.json").read_bytes())
    lines = "".join(f"{file.sha256}  {file.path}\n" for file in packet.files)
    (folder / "sums").write_text(lines)
    assert run("sha256sum", "--check", "--strict", "sums", cwd=folder).returncode == 0
