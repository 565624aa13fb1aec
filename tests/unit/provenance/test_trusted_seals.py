"""Seals in the trust file: pinned by their very certificate, strictly read."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from seal_certificates import certified

from imgguard.errors import ConfigurationError
from imgguard.provenance.trust import read_trust

ONE, TWO = (certified(ec.generate_private_key(ec.SECP256R1())) for _ in range(2))


def seal(name: str, pem: bytes, more: str = "") -> str:
    return f'[[seal]]\nname = "{name}"\ncertificate = """\n{pem.decode()}"""\n{more}'


def test_a_seal_is_that_of_its_very_certificate_whatever_its_name_says() -> None:
    trust = read_trust(seal("Operator", ONE.to_pem()[0]))
    found = trust.sealer(ONE.certificate)
    assert found is not None
    assert found.name == "Operator"
    assert ONE.certificate.subject == TWO.certificate.subject
    assert trust.sealer(TWO.certificate) is None


@pytest.mark.parametrize(
    "text",
    [
        seal("A", ONE.to_pem()[0]) + seal("A", TWO.to_pem()[0]),
        seal("A", ONE.to_pem()[0]) + seal("B", ONE.to_pem()[0]),
        seal("A", ONE.to_pem()[0], 'class = "qualified"\n'),
        seal("A", ONE.to_pem()[0] + TWO.to_pem()[0]),
        seal("A", ONE.to_pem()[1]),
        seal(" A", ONE.to_pem()[0]),
        "seal = 1\n",
        "[seal]\n",
    ],
    ids=[
        "name twice",
        "certificate twice",
        "unknown key",
        "two certificates",
        "a key",
        "spaces",
        "a number",
        "a table",
    ],
)
def test_what_is_not_a_seal_is_an_error_that_names_the_place(text: str) -> None:
    with pytest.raises(ConfigurationError, match="seal"):
        read_trust(text)
