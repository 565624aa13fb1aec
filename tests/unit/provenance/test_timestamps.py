"""What a token that holds says, at whose word, and at which time its certificates have to be good."""

from datetime import timedelta

import pytest
import timestamp_forge as forge
from cryptography.hazmat.primitives.asymmetric import rsa
from timestamp_forge import DATA, NOON, START, Certified

from imgguard.errors import TimestampInvalid
from imgguard.provenance.timestamp_tokens import certificate_sha256
from imgguard.provenance.timestamps import Digest
from imgguard.provenance.trust import Trust, TrustClass, read_trust

from .conftest import Verify


def test_the_facts_of_a_token(verify: Verify, root: Certified, signer: Certified) -> None:
    info = {"accuracy": {"seconds": 2, "millis": 500}, "nonce": 99, "serial_number": 2**100}
    verified = verify(forge.token(signer, info=info))
    assert verified.trust_class is TrustClass.INDEPENDENT
    assert verified.authority == "Tester"
    assert verified.chain_sha256 == (certificate_sha256(signer.certificate), certificate_sha256(root.certificate))
    token = verified.token
    assert (token.gen_time, token.accuracy) == (NOON, timedelta(seconds=2.5))
    assert (token.serial, token.policy, token.nonce) == (2**100, "1.2.3.4", 99)
    assert token.imprint == Digest.of(DATA)
    assert token.authority == "CN=Stamper"
    assert token.certificates_sha256 == (token.signer_sha256,) == (certificate_sha256(signer.certificate),)
    assert verified.no_later_than == NOON + timedelta(seconds=2.5)


@pytest.mark.parametrize("imprint", ["sha256", "sha384", "sha512"])
def test_data_and_its_digest_are_the_same_to_it(verify: Verify, signer: Certified, imprint: str) -> None:
    token = forge.token(signer, imprint=imprint)
    assert verify(token) == verify(token, Digest.of(DATA, algorithm=imprint))


def test_a_digest_of_another_kind_is_other_data(verify: Verify, signer: Certified) -> None:
    with pytest.raises(TimestampInvalid, match="imprint"):
        verify(forge.token(signer, imprint="sha512"), Digest.of(DATA))


def test_fractions_of_a_second_are_kept(verify: Verify, signer: Certified) -> None:
    at = NOON + timedelta(microseconds=120_300)
    assert verify(forge.token(signer, at=at)).token.gen_time == at


@pytest.mark.parametrize("binding", ["v1", "v2"])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("kind", ["ec", "rsa", "rsa without its digest"])
def test_the_algorithms_that_are_believed(
    verify: Verify, root: Certified, rsa_signer: Certified, signer: Certified, binding: str, digest: str, kind: str
) -> None:
    by = signer if kind == "ec" else rsa_signer
    named = "rsassa_pkcs1v15" if kind == "rsa without its digest" else None
    assert verify(forge.token(by, binding=binding, digest=digest, signature_algorithm=named)).authority == "Tester"


@pytest.fixture(scope="module")
def rsa_signer(root: Certified) -> Certified:
    return forge.signer(root, key=rsa.generate_private_key(65537, 2048))


def test_a_back_dated_token_of_a_young_certificate_is_refused(verify: Verify, signer: Certified) -> None:
    """Plain `openssl ts -verify`, which asks whether the chain holds now, accepts it."""
    with pytest.raises(TimestampInvalid, match="2019-12-31 23:59:59"):
        verify(forge.token(signer, at=START - timedelta(seconds=1)))


def test_a_back_dated_token_under_a_young_root_is_refused_too(verify: Verify) -> None:
    root = forge.root(start=NOON)
    old = forge.signer(root, start=START)
    token = forge.token(old, at=NOON - timedelta(days=1))
    with pytest.raises(TimestampInvalid, match="do not hold"):
        verify(token, trust=read_trust(forge.trust_file(root.pem)))


def test_a_token_outlives_its_certificate(verify: Verify, root: Certified) -> None:
    """The certificate ended long before these tests run, and was good when the token was made."""
    by = forge.signer(root, days=30)
    last = START + timedelta(days=30, seconds=-1)
    assert verify(forge.token(by, at=last)).token.gen_time == last


def test_openssl_has_to_agree(verify: Verify, root: Certified) -> None:
    """For it a certificate ends with its last second, which RFC 5280 still counts. A pinned signer is ours to judge."""
    by = forge.signer(root, days=30)
    token = forge.token(by, at=START + timedelta(days=30))
    with pytest.raises(TimestampInvalid, match="OpenSSL"):
        verify(token)
    assert verify(token, trust=read_trust(forge.trust_file(by.pem))).authority == "Tester"


def test_a_token_made_after_its_certificate_ended_is_refused(verify: Verify, root: Certified) -> None:
    by = forge.signer(root, days=30)
    with pytest.raises(TimestampInvalid, match="do not hold"):
        verify(forge.token(by, at=START + timedelta(days=30, seconds=1)))


def test_an_unsorted_set_of_certificates_is_put_in_order(verify: Verify, root: Certified, signer: Certified) -> None:
    """rfc3161-client alone refuses it."""
    unsorted = forge.certificate_set(signer.der, root.der, is_sorted=False)
    verified = verify(forge.token(signer, certificates=unsorted))
    assert verified.authority == "Tester"
    assert set(verified.token.certificates_sha256) == set(verified.chain_sha256)


def test_certificates_that_the_token_lacks_can_be_given(verify: Verify, root: Certified) -> None:
    between = forge.intermediate(root)
    by = forge.signer(between)
    bare = forge.token(by, certificates=forge.certificate_set())
    with pytest.raises(TimestampInvalid, match="not at hand"):
        verify(bare)
    verified = verify(bare, certificates=[by.certificate, between.certificate])
    assert len(verified.chain_sha256) == 3
    assert verified.token.certificates_sha256 == ()


@pytest.mark.parametrize("pinned", ["root", "intermediate", "signer"])
def test_the_anchor_may_be_anywhere_in_the_chain(verify: Verify, root: Certified, pinned: str) -> None:
    between = forge.intermediate(root)
    by = forge.signer(between)
    anchor, length = {"root": (root, 3), "intermediate": (between, 2), "signer": (by, 1)}[pinned]
    token = forge.token(by, certificates=forge.certificate_set(by.der, between.der))
    verified = verify(token, trust=read_trust(forge.trust_file(anchor.pem, trust_class="qualified")))
    assert verified.trust_class is TrustClass.QUALIFIED
    assert len(verified.chain_sha256) == length
    assert verified.chain_sha256[-1] == certificate_sha256(anchor.certificate)


def test_the_nearest_of_several_anchors_counts(verify: Verify, root: Certified, signer: Certified) -> None:
    entries = forge.trust_file(root.pem) + forge.trust_file(signer.pem, trust_class="self_issued").replace(
        "Tester", "Nearer"
    )
    verified = verify(forge.token(signer), trust=read_trust(entries))
    assert (verified.authority, verified.trust_class) == ("Nearer", TrustClass.SELF_ISSUED)


def test_a_token_nobody_vouches_for_is_no_time(verify: Verify, root: Certified, signer: Certified) -> None:
    """Even with its root embedded: trust never comes from the token."""
    token = forge.token(signer, certificates=forge.certificate_set(signer.der, root.der))
    for trust in (Trust(), read_trust(forge.trust_file(forge.root("Other").pem))):
        verified = verify(token, trust=trust)
        assert (verified.trust_class, verified.authority) == (TrustClass.UNKNOWN, None)
        assert verified.no_later_than is None
        assert len(verified.chain_sha256) == 2


def test_a_token_nobody_vouches_for_has_to_hold_all_the_same(verify: Verify, signer: Certified) -> None:
    early = forge.token(signer, at=START - timedelta(seconds=1))
    with pytest.raises(TimestampInvalid, match="do not hold"):
        verify(early, trust=Trust())


def test_a_root_of_the_same_name_is_another_root(verify: Verify, signer: Certified) -> None:
    verified = verify(forge.token(signer), trust=read_trust(forge.trust_file(forge.root().pem)))
    assert verified.trust_class is TrustClass.UNKNOWN


@pytest.mark.parametrize(
    ("window", "is_believed"),
    [
        ("not_before = 2022-06-01T12:00:00Z\nnot_after = 2022-06-01T14:00:00+02:00", True),
        ("not_before = 2022-06-01T12:00:01Z", False),
        ("not_after = 2022-06-01T11:59:59Z", False),
    ],
)
def test_an_authority_is_believed_within_its_window(
    verify: Verify, root: Certified, signer: Certified, window: str, is_believed: bool
) -> None:
    trust = read_trust(forge.trust_file(root.pem, more=window))
    if is_believed:
        assert verify(forge.token(signer), trust=trust).authority == "Tester"
        return
    with pytest.raises(TimestampInvalid, match="does not believe Tester"):
        verify(forge.token(signer), trust=trust)
