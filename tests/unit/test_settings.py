"""Settings that make no sense are refused when they are read, and the message names them."""

from typing import get_args

import pytest
from pydantic import ValidationError

from imgguard.fingerprint.weights import PACKAGED
from imgguard.imaging import wire
from imgguard.pipeline import PROFILES
from imgguard.settings import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUERY_RETENTION_DAYS", "3000000"),
        ("QUERY_RETENTION_DAYS", "-1"),
        ("DECODE_SECONDS", "inf"),
        ("DECODE_SECONDS", "nan"),
        ("DECODE_SECONDS", "0"),
        ("DECODE_SECONDS", "1e9"),
        ("DECODE_MEMORY_BYTES", "99999999999999999999"),
        ("WEIGHTS", "nonsense"),
        ("WEIGHTS_PATH", ""),
        ("HOME", ""),
        ("HOME", "  "),
        ("MAX_IMAGE_BYTES", "4294967296"),
        ("MAX_IMAGE_PIXELS", "99999999999999999999"),
        ("MAX_IMAGE_FRAMES", "99999999999999999999"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"IMGGUARD_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [error["loc"] for error in caught.value.errors()] == [(name.lower(),)]


@pytest.mark.parametrize(
    ("issuer", "is_accepted"),
    [
        ("https://login.example.org", True),
        ("https://login.example.org:8443/realms/a/", True),
        ("http://127.0.0.1:9000", True),
        ("http://[::1]:9000", True),
        ("http://localhost:9000/realms/a", True),
        ("http://login.example.org", False),
        ("http://localhost.example.org", False),
        ("http://10.0.0.1", False),
        ("https://", False),
        ("login.example.org", False),
        ("ftp://login.example.org", False),
        ("https://login.example.org?tenant=a", False),
        ("https://login.example.org#a", False),
        ("https://login.example.org?", False),
        ("https://ann:secret@login.example.org", False),
        ("https://login.example.org:99999", False),
        ("https://login.example.org/\n", False),
        ("https://log in.example.org", False),
        ("https://löse.example.org", False),
        (f"https://login.example.org/{'x' * 255}", False),
        ("", False),
    ],
)
def test_the_issuer_is_an_https_address(issuer: str, is_accepted: bool) -> None:
    if is_accepted:
        assert Settings(oidc_issuer=issuer, oidc_client_id="imgguard").oidc_issuer == issuer
        return
    with pytest.raises(ValidationError) as caught:
        Settings(oidc_issuer=issuer, oidc_client_id="imgguard")
    assert [error["loc"] for error in caught.value.errors()] == [("oidc_issuer",)]


@pytest.mark.parametrize(
    "given",
    [
        {"oidc_issuer": "https://login.example.org"},
        {"oidc_client_id": "imgguard"},
        {"oidc_client_secret": "hidden"},
        {"oidc_client_id": "imgguard", "oidc_client_secret": "hidden"},
    ],
    ids=str,
)
def test_a_provider_is_set_up_whole_or_not_at_all(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(**given)  # type: ignore[arg-type]
    assert "IMGGUARD_OIDC_ISSUER" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", " x", "a\nb", "x" * 61])
def test_names_that_nobody_could_read_on_a_button(name: str) -> None:
    with pytest.raises(ValidationError):
        Settings(oidc_name=name)


@pytest.mark.parametrize("scopes", ["", "email", "email openid\x00", 'openid "', "openid\nemail"])
def test_scopes_that_cannot_be(scopes: str) -> None:
    with pytest.raises(ValidationError):
        Settings(oidc_scopes=scopes)
    assert Settings(oidc_scopes=" email  openid").oidc_scopes == "email openid"


def test_the_largest_file_fits_the_wire() -> None:
    (bound,) = [item.le for item in Settings.model_fields["max_image_bytes"].metadata if hasattr(item, "le")]
    header = wire.pack({}, memoryview(b""))
    assert len(header) == wire.PREFIX.size
    wire.PREFIX.pack(0, bound)


def test_weights_can_be_named() -> None:
    assert set(get_args(Settings.model_fields["weights"].annotation)) == {*PACKAGED, "custom"}


def test_the_description_of_candidates_says_where_quick_stops() -> None:
    described = Settings.model_fields["candidates"].description
    assert described is not None
    assert f"`quick` stops at {PROFILES['quick'].candidates}" in described


@pytest.mark.parametrize(
    ("authorities", "is_accepted"),
    [
        ("https://tsa.example.org/tsr", True),
        ("http://tsa.example.org:8080/tsr?policy=1, embedded", True),
        ("embedded,embedded", False),
        ("Embedded", False),
        ("tsa.example.org", False),
        ("ftp://tsa.example.org", False),
        ("https://ann:secret@tsa.example.org", False),
        ("https://tsa.example.org/#a", False),
        ("https://tsa.example.org:99999", False),
        ("https://tsa.example.org/\u202e", False),
    ],
)
def test_timestamp_authorities_are_addresses_or_our_own(
    monkeypatch: pytest.MonkeyPatch, authorities: str, is_accepted: bool
) -> None:
    monkeypatch.setenv("IMGGUARD_TIMESTAMP_AUTHORITIES", authorities)
    if is_accepted:
        assert Settings().timestamp_urls == tuple(part.strip() for part in authorities.split(","))
        return
    with pytest.raises(ValidationError, match="timestamp_authorities"):
        Settings()


@pytest.mark.parametrize(
    ("calendars", "found"),
    [
        ("https://one.example.org", ("https://one.example.org",)),
        (
            "https://one.example.org/, https://two.example.org:8443/ots/",
            ("https://one.example.org", "https://two.example.org:8443/ots"),
        ),
        ("", ()),
        ("http://one.example.org", None),
        ("https://", None),
        ("https://one.example.org,https://one.example.org/", None),
        ("https://ann@one.example.org", None),
        ("https://one.example.org/?a=b", None),
        ("https://one.example.org:99999", None),
        ("one.example.org", None),
    ],
)
def test_calendars_are_asked_by_https_alone(
    monkeypatch: pytest.MonkeyPatch, calendars: str, found: tuple[str, ...] | None
) -> None:
    assert Settings().calendar_urls == ()
    monkeypatch.setenv("IMGGUARD_OPENTIMESTAMPS_CALENDARS", calendars)
    if found is not None:
        assert Settings().calendar_urls == found
        return
    with pytest.raises(ValidationError, match="opentimestamps_calendars"):
        Settings()
