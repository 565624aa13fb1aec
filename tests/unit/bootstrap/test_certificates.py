"""Certificates and keys that cannot be used are refused by name, before anything is read or signed with them."""

from pathlib import Path

import credentials as made
import pytest
from pydantic import ValidationError

from imgguard.bootstrap import Services
from imgguard.bootstrap.certificates import evidence_signer, trust_list
from imgguard.errors import ConfigurationError
from imgguard.imaging.credentials import CredentialState
from imgguard.settings import Settings


@pytest.fixture
def identity(tmp_path: Path) -> tuple[Path, Path]:
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(made.camera().chain)
    key.write_bytes(made.camera().key)
    return chain, key


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"", "no list of certificates"), (b"\xff\xfe", "no PEM"), (bytes(2_000_001), "larger")],
    ids=["missing", "empty", "binary", "huge"],
)
def test_a_trust_list_is_looked_at(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "trust.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        trust_list(path)


def test_the_decoder_trusts_whom_the_setting_names(tmp_path: Path) -> None:
    trust = tmp_path / "trust.pem"
    trust.write_text(made.authority().pem)
    signed = made.signed((Path(__file__).parents[3] / "sample_images/originals/mug.jpg").read_bytes())
    for setting, state in ((trust, CredentialState.TRUSTED), (None, CredentialState.VALID)):
        with Services(Settings(home=tmp_path / "home", c2pa_trust=setting)) as services:
            assert services.decoder.credentials(signed).state is state


def test_the_key_has_to_fit_the_chain(identity: tuple[Path, Path]) -> None:
    chain, key = identity
    evidence_signer(chain, key)
    key.write_bytes(made.authority().signer().key)
    with pytest.raises(ConfigurationError, match="not that of the first certificate"):
        evidence_signer(chain, key)


@pytest.mark.parametrize("alone", ["c2pa_chain", "c2pa_key"])
def test_a_chain_and_a_key_need_each_other(alone: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="need each other"):
        Settings(home=tmp_path, **{alone: tmp_path / "one.pem"})
