"""The trust file is read strictly: what is unclear is no trust."""

from datetime import UTC, datetime

import pytest
import timestamp_forge as forge
from timestamp_forge import Certified

from imgguard.errors import ConfigurationError
from imgguard.provenance.trust import Trust, TrustClass, read_trust


def test_what_a_trust_file_says(root: Certified, signer: Certified) -> None:
    window = "not_before = 2024-01-01T00:00:00+08:00\nnot_after = 2026-01-01T00:00:00Z"
    text = forge.trust_file(root.pem, trust_class="qualified", more=window)
    text += forge.trust_file(signer.pem, trust_class="self_issued").replace("Tester", "Second")
    trust = read_trust(text + '[log]\npolicy = """\nlog example+abc\n"""\n')
    first, second = trust.authorities
    assert (first.name, first.trust_class, first.certificate) == ("Tester", TrustClass.QUALIFIED, root.certificate)
    assert first.not_before == datetime(2023, 12, 31, 16, tzinfo=UTC)
    assert first.not_after == datetime(2026, 1, 1, tzinfo=UTC)
    assert (second.not_before, second.not_after) == (None, None)
    assert trust.log_policy == "log example+abc\n"
    assert trust.authority_of(signer.certificate) is second
    assert trust.authority_of(forge.root().certificate) is None


def test_an_empty_file_trusts_nobody() -> None:
    assert read_trust("") == Trust()


@pytest.mark.parametrize(
    ("found", "instead", "place"),
    [
        ('name = "Tester"', "", "authority 1, name"),
        ('name = "Tester"', 'name = ""', "authority 1, name"),
        ('name = "Tester"', 'name = " Tester"', "authority 1, name"),
        ('name = "Tester"', 'name = "a\\u202eb"', "authority 1, name"),
        ('name = "Tester"', "name = 3", "authority 1, name"),
        ('class = "independent"', "", "authority 1, class"),
        ('class = "independent"', 'class = "unknown"', "authority 1, class"),
        ('class = "independent"', 'class = "Independent"', "authority 1, class"),
        ('class = "independent"', 'class = "independent"\ntrusted = true', "authority 1: the key 'trusted'"),
        ('class = "independent"', 'class = "independent"\nnot_before = 2024-01-01', "authority 1, not_before"),
        ('class = "independent"', 'class = "independent"\nnot_after = 2024-01-01T00:00:00', "authority 1, not_after"),
        ("[[authority]]", "[authority]", "authority:"),
        ("[[authority]]", "[[authorities]]", "the key 'authorities'"),
        ("[[authority]]", "[log]\npolicy = 3\n[[authority]]", "log, policy"),
        ("[[authority]]", '[log]\npolicy = "x"\nurl = "y"\n[[authority]]', "log: the key 'url'"),
        ("[[authority]]", "log = 3\n[[authority]]", "log: it is no table"),
        ("BEGIN CERTIFICATE", "BEGIN TRUSTED CERTIFICATE", "authority 1, certificate"),
        ("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAAAA", "authority 1, certificate"),
        ("-----BEGIN", "# mine\n-----BEGIN", "authority 1, certificate"),
        ("[[authority]]", "[[authority]", "no TOML"),
    ],
)
def test_what_is_unclear_is_an_error_that_names_the_place(
    root: Certified, found: str, instead: str, place: str
) -> None:
    text = forge.trust_file(root.pem)
    assert found in text
    with pytest.raises(ConfigurationError) as caught:
        read_trust(text.replace(found, instead, 1))
    assert place in caught.value.detail
    assert caught.value.detail.startswith("the trust file")


def test_two_certificates_in_one_entry_are_not_one(root: Certified, signer: Certified) -> None:
    with pytest.raises(ConfigurationError, match="exactly one certificate"):
        read_trust(forge.trust_file(root.pem + signer.pem))


def test_names_and_certificates_are_there_once(root: Certified, signer: Certified) -> None:
    text = forge.trust_file(root.pem)
    with pytest.raises(ConfigurationError, match="authority 2: the name 'Tester' is there twice"):
        read_trust(text + forge.trust_file(signer.pem))
    with pytest.raises(ConfigurationError, match="authority 2: it has the certificate of 'Tester'"):
        read_trust(text + text.replace("Tester", "Other"))


def test_a_window_ends_after_it_begins(root: Certified) -> None:
    window = "not_before = 2026-01-01T00:00:00Z\nnot_after = 2025-01-01T00:00:00Z"
    with pytest.raises(ConfigurationError, match="authority 1: its window"):
        read_trust(forge.trust_file(root.pem, more=window))


def test_deep_nesting_is_an_error_too() -> None:
    with pytest.raises(ConfigurationError, match="no TOML"):
        read_trust("a = " + "[" * 100_000)
