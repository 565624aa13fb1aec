"""Another implementation says the same of the same tokens: `openssl ts`, which has to be there."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import rfc3161_client
import timestamp_forge as forge
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from timestamp_forge import DATA, NOON, START, Certified

from imgguard.errors import TimestampInvalid, TimestampRefused
from imgguard.provenance.authority import EmbeddedAuthority
from imgguard.provenance.timestamp_tokens import wrapped
from imgguard.provenance.timestamps import Digest, read_response, request_for, verify_timestamp
from imgguard.provenance.trust import Trust, TrustClass, read_trust

pytestmark = pytest.mark.interop

ROOT = forge.root()
BETWEEN = forge.intermediate(ROOT)
SIGNER = forge.signer(BETWEEN)
TRUST = read_trust(forge.trust_file(ROOT.pem))


@pytest.fixture(scope="module")
def openssl() -> str:
    found = shutil.which("openssl")
    assert found is not None, "install openssl: these tests compare with it"
    return found


@pytest.fixture
def openssl_accepts(openssl: str, tmp_path: Path) -> Callable[..., bool]:
    """Whether `openssl ts -verify` finds that a response holds for `DATA` under a root, at one time."""

    def ask(response: bytes, root_pem: str, *, at: datetime) -> bool:
        (tmp_path / "response.tsr").write_bytes(response)
        (tmp_path / "root.pem").write_text(root_pem)
        (tmp_path / "data").write_bytes(DATA)
        run = subprocess.run(
            [openssl, *f"ts -verify -attime {at.timestamp():.0f} -CAfile root.pem -data data -in response.tsr".split()],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert ("Verification: OK" in run.stdout) == (run.returncode == 0), run.stderr
        return run.returncode == 0

    return ask


def _we_accept(token: bytes) -> bool:
    try:
        return verify_timestamp(token, DATA, trust=TRUST).trust_class is TrustClass.INDEPENDENT
    except TimestampInvalid:
        return False


def _chained(by: Certified, *others: Certified, **changes: object) -> bytes:
    ders = (by.der, *(other.der for other in others or (BETWEEN,)))
    return forge.token(by, certificates=forge.certificate_set(*ders), **changes)


def _an_hour_earlier(content: bytes) -> bytes:
    return content.replace(b"20220601120000Z", b"20220601110000Z")


YOUNG = forge.signer(BETWEEN, start=NOON)
ENDED = forge.signer(BETWEEN, days=30)
EARLY = START + timedelta(days=9)
NO_AUTHORITY = forge.intermediate(ROOT, ca=False)

TOKENS: dict[str, tuple[bytes, datetime, bool]] = {
    "good": (_chained(SIGNER), NOON, True),
    "by SHA-512": (_chained(SIGNER, imprint="sha512", digest="sha512"), NOON, True),
    "bound by SHA-1": (_chained(SIGNER, binding="v1"), NOON, True),
    "of a certificate that has ended since": (_chained(ENDED, at=EARLY), EARLY, True),
    "back-dated": (_chained(YOUNG, at=NOON - timedelta(days=900)), NOON - timedelta(days=900), False),
    "of other data": (_chained(SIGNER, data=b"other"), NOON, False),
    "with its time altered": (_chained(SIGNER, change_content=_an_hour_earlier), NOON, False),
    "bound to another certificate": (_chained(SIGNER, bound_to=YOUNG), NOON, False),
    "of two signers": (_chained(SIGNER, signers=2), NOON, False),
    "for other purposes": (_chained(forge.signer(BETWEEN, purposes=[forge.STAMPING[0], forge.CODE])), NOON, False),
    "of a purpose that may be ignored": (_chained(forge.signer(BETWEEN, is_critical=False)), NOON, False),
    "under no authority": (_chained(forge.signer(NO_AUTHORITY), NO_AUTHORITY), NOON, False),
    "of another root": (_chained(forge.signer(forge.root("Other"))), NOON, False),
}  # fmt: skip


@pytest.mark.parametrize("name", TOKENS)
def test_openssl_agrees_on_a_token(name: str, openssl_accepts: Callable[..., bool]) -> None:
    token, at, is_good = TOKENS[name]
    assert _we_accept(token) == is_good
    assert openssl_accepts(wrapped(token), ROOT.pem, at=at) == is_good


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_openssl_accepts_the_embedded_authority(algorithm: str, openssl_accepts: Callable[..., bool]) -> None:
    authority = EmbeddedAuthority.new(at=NOON)
    response = authority.issue(request_for(Digest.of(DATA, algorithm=algorithm), nonce=2**63), at=NOON)
    root = authority.root.public_bytes(Encoding.PEM).decode()
    assert openssl_accepts(response, root, at=NOON)
    assert not openssl_accepts(response, root, at=NOON - timedelta(days=1))


CONFIGURATION = """
[tsa]
default_tsa = tsa1
[tsa1]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1, millisecs:500
ordering = yes
tsa_name = yes
ess_cert_id_chain = {chain}
ess_cert_id_alg = {digest}
{certs}
"""


@pytest.fixture
def openssl_stamps(openssl: str, tmp_path: Path) -> Callable[..., bytes]:
    """The answer of an `openssl ts -reply` authority, which stamps the present."""

    def answer(request: bytes, by: Certified, *, certs: list[Certified], digest: str = "sha256") -> bytes:
        (tmp_path / "signer.pem").write_text(by.pem)
        key = by.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "signer.key").write_bytes(key)
        (tmp_path / "serial").write_text("0A\n")
        (tmp_path / "certs.pem").write_text("".join(one.pem for one in certs))
        line = f"certs = {tmp_path}/certs.pem" if certs else ""
        text = CONFIGURATION.format(folder=tmp_path, certs=line, digest=digest, chain="yes" if certs else "no")
        (tmp_path / "tsa.cnf").write_text(text)
        (tmp_path / "request.tsq").write_bytes(request)
        subprocess.run(
            [openssl, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "request.tsq", "-out", "reply.tsr"],
            cwd=tmp_path,
            capture_output=True,
            check=True,
            timeout=30,
        )
        return (tmp_path / "reply.tsr").read_bytes()

    return answer


def _present() -> tuple[Certified, Certified]:
    start = datetime.now(UTC) - timedelta(days=1)
    root = forge.root(start=start)
    return root, forge.signer(root, start=start)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("binding", ["sha1", "sha256", "sha512"])
def test_we_accept_what_openssl_stamps(openssl_stamps: Callable[..., bytes], algorithm: str, binding: str) -> None:
    root, signer = _present()
    request = request_for(Digest.of(DATA, algorithm=algorithm), nonce=2**64 - 1)
    token = read_response(openssl_stamps(request, signer, certs=[], digest=binding), request)
    verified = verify_timestamp(token, DATA, trust=read_trust(forge.trust_file(root.pem)))
    assert verified.authority == "Tester"
    assert verified.token.policy == "1.2.3.4.1"
    assert verified.token.accuracy == timedelta(seconds=1.5)
    assert abs(verified.token.gen_time - datetime.now(UTC)) < timedelta(minutes=1)


def test_we_accept_sets_of_certificates_in_the_order_of_openssl(openssl_stamps: Callable[..., bytes]) -> None:
    """It writes them in an order of its own, and DER puts the shorter one first: so one of two authorities, whose root
    is shorter and longer than its signer, is not sorted."""
    unsorted = 0
    for name in ("R", "R" * 60):
        start = datetime.now(UTC) - timedelta(days=1)
        root = forge.root(name, start=start)
        signer = forge.signer(root, start=start, usage=("digital_signature", "content_commitment"))
        request = request_for(Digest.of(DATA), nonce=7)
        response = openssl_stamps(request, signer, certs=[root])
        first, second = sorted((root.der, signer.der))
        if response.index(first) > response.index(second):
            unsorted += 1
            with pytest.raises(ValueError, match="InvalidSetOrdering"):
                rfc3161_client.decode_timestamp_response(response)
        token = read_response(response, request)
        verified = verify_timestamp(token, DATA, trust=read_trust(forge.trust_file(root.pem)))
        assert verified.authority == "Tester"
        assert verify_timestamp(token, DATA, trust=Trust()).no_later_than is None
    assert unsorted == 1


def test_a_refusal_of_openssl_is_read_as_one(openssl_stamps: Callable[..., bytes]) -> None:
    """Of a digest that this authority does not take."""
    _, signer = _present()
    request = request_for(Digest.of(DATA, algorithm="sha384"), nonce=7)
    with pytest.raises(TimestampRefused, match="rejection"):
        read_response(openssl_stamps(request, signer, certs=[]), request)
