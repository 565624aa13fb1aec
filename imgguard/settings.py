"""All settings: one frozen object, built once at an entry point, from the environment (prefix ``IMGGUARD_``)."""

import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

EMBEDDED = "embedded"
"""Among `timestamp_authorities`: the one that runs within imgguard."""
_ADDRESS = re.compile(r"https://[A-Za-z0-9._/:-]{1,900}")
"""What a calendar can call itself in an OpenTimestamps file."""


class Settings(BaseSettings):
    """What an operator can change. Every field is described in docs/settings.md; a test keeps the two together."""

    model_config = SettingsConfigDict(
        env_prefix="IMGGUARD_", frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("imgguard")),
        description="Folder of the database, the stored originals and the index.",
    )
    profile: Literal["quick", "thorough"] = Field(
        default="thorough", description="How hard a check looks when the command does not say."
    )
    jobs: int = Field(default=0, ge=0, le=256, description="Images worked on at the same time; 0 means one per core.")
    candidates: int = Field(
        default=10,
        ge=1,
        le=100,
        description="How many candidates of the index are examined pixel by pixel per image; `quick` stops at 4.",
    )
    query_retention_days: int = Field(
        default=30, ge=0, le=36_500, description="How long the bytes of a checked image are kept; 0 keeps none."
    )
    max_image_bytes: int = Field(
        default=64_000_000,
        ge=1,
        le=4_000_000_000,  # a file goes to its decoder process with a length of four bytes
        description="Largest accepted file, in bytes.",
    )
    max_proof_bytes: int = Field(
        default=200_000_000,
        ge=1,
        le=100_000_000_000,
        description="Largest file that is attached to a reference, in bytes; RAW files have 20 to 100 million.",
    )
    max_packet_bytes: int = Field(
        default=300_000_000,
        ge=1_000,
        le=2_147_483_648,  # no packet has more
        description="Largest evidence packet that is verified over the API, in bytes.",
    )
    max_image_pixels: int = Field(
        default=100_000_000,
        ge=1,
        le=10_000_000_000,
        description="Largest accepted picture, in pixels (width x height).",
    )
    max_image_frames: int = Field(
        default=2_000,
        ge=1,
        le=1_000_000,
        description="Most frames or pages a file may declare; only the first is used.",
    )
    decode_seconds: float = Field(
        default=20.0, gt=0, le=3600, description="Longest time a file may take to decode, in seconds."
    )
    decode_memory_bytes: int = Field(
        default=2_000_000_000,
        ge=256_000_000,
        le=1_000_000_000_000,
        description="Address space a decoder process may use, in bytes.",
    )
    c2pa_trust: Path | None = Field(
        default=None,
        description="PEM file with the certificates of those whose Content Credentials are called trusted; without one "
        "nobody's are.",
    )
    c2pa_chain: Path | None = Field(
        default=None,
        description="PEM file with the certificate chain, the signer's own first, that evidence pictures are signed "
        "with; without one they are not signed.",
    )
    c2pa_key: Path | None = Field(default=None, description="PEM file with the private key of that certificate.")
    weights: Literal["sscd", "sscd_distilled", "custom"] = Field(
        default="sscd", description="Embedding weights of new index generations: `sscd`, `sscd_distilled` or `custom`."
    )
    weights_path: Path | None = Field(default=None, description="ONNX file used when `weights` is `custom`.")
    weights_sha256: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="SHA-256 that the file at `weights_path` must have."
    )
    fetch_seconds: float = Field(
        default=20.0, gt=0, le=3600, description="Longest time a fetch may take, redirects included, in seconds."
    )
    fetch_connect_seconds: float = Field(
        default=5.0, gt=0, le=3600, description="Longest time one connection may take to be made, in seconds."
    )
    fetch_max_bytes: int = Field(default=64_000_000, ge=1, description="Most bytes that are fetched from one URL.")
    fetch_redirects: int = Field(default=5, ge=0, le=20, description="Most redirects that are followed.")
    fetch_allowed_networks: str | None = Field(
        default=None,
        description="Networks that are not public and may be fetched from, as CIDRs with commas between them; "
        "an address of cloud metadata must be named by itself.",
    )
    fetch_ports: str | None = Field(
        default=None, description="Ports that may be fetched from besides 80 and 443, with commas between them."
    )
    fetch_contact: str | None = Field(
        default=None,
        pattern=r"^[!-'*-\[\]-~]{1,200}$",
        description="URL or mail address that servers are told in `User-Agent`, without spaces or parentheses.",
    )

    queue_items: int = Field(
        default=20_000, ge=1, le=10_000_000, description="Most pictures of bulk jobs that may wait for a worker."
    )
    queue_interactive: int = Field(
        default=64, ge=1, le=10_000, description="Most pictures that may wait while somebody waits for the answer."
    )
    queue_share: float = Field(
        default=0.75, gt=0, le=1, description="Part of either queue that the pictures of one organisation may fill."
    )
    sync_seconds: float = Field(
        default=8.0,
        ge=0,
        le=600,
        description="How long a request waits for its picture to be worked on, in seconds; then it is told the job.",
    )
    feed_max_bytes: int = Field(
        default=32_000_000, ge=1_000, le=1_000_000_000, description="Largest accepted product feed, in bytes."
    )
    feed_max_pictures: int = Field(
        default=10_000,
        ge=1,
        le=10_000_000,
        description="Most different pictures of one product feed; never more than one organisation may have wait.",
    )
    job_retention_days: int = Field(
        default=30,
        ge=1,
        le=36_500,
        description="How long jobs that are over are kept, in days, with file names and results.",
    )
    licence_reminder_days: int = Field(
        default=14,
        ge=0,
        le=3_650,
        description="How many days before a licence ends both sides are reminded; 0 reminds nobody.",
    )
    packet_retention_days: int = Field(
        default=30,
        ge=1,
        le=36_500,
        description="How long the files of evidence packets that members had built are kept, in days.",
    )
    webhook_retention_days: int = Field(
        default=30,
        ge=1,
        le=36_500,
        description="How long messages to webhooks are kept, in days: so long they can be looked at and sent again.",
    )
    worker_memory_bytes: int = Field(
        default=2_000_000_000,
        ge=256_000_000,
        le=1_000_000_000_000,
        description="Memory a worker may hold after a picture before it is replaced by a fresh one, in bytes.",
    )

    log_key: Path | None = Field(
        default=None,
        description="File with the private key of the transparency log (Ed25519, PKCS#8 PEM without a passphrase); "
        "by default the key is in the database.",
    )
    log_origin: str | None = Field(
        default=None,
        pattern=r"^[!-*,-~]{1,200}$",
        description="Name of the transparency log, like a URL without its scheme; chosen with the first checkpoint, "
        "and the same for ever. By default `imgguard.invalid/` and random letters.",
    )
    log_checkpoint_seconds: float = Field(
        default=60.0,
        ge=1,
        le=86_400,
        description="How often the service signs what is new in the transparency log, in seconds.",
    )

    session_idle_minutes: int = Field(
        default=120, ge=1, le=43_200, description="After how long without use a session ends, in minutes."
    )
    session_hours: int = Field(default=24, ge=1, le=2_160, description="How long a session lasts at most, in hours.")
    invitation_hours: int = Field(
        default=72, ge=1, le=2_160, description="How long an invitation to set a password can be accepted, in hours."
    )

    oidc_issuer: str | None = Field(
        default=None,
        max_length=255,
        description="Issuer of the OpenID Connect provider that people may sign in by, exactly as the provider writes "
        "it: an https address (http on this machine itself only).",
    )
    oidc_client_id: str | None = Field(
        default=None, pattern=r"^[!-~]{1,255}$", description="What imgguard is called at that provider."
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Secret that goes with it; none for a public client, which PKCE protects."
    )
    oidc_name: str = Field(
        default="single sign-on",
        pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]{0,59}$",
        description='What the sign-in page calls that provider, behind "Sign in with".',
    )
    oidc_scopes: str = Field(
        default="openid email profile",
        pattern=r"^[!#-\[\]-~ ]{1,500}$",
        description="Scopes that the provider is asked for, with spaces between them; `openid` among them.",
    )

    timestamp_authorities: str | None = Field(
        default=None,
        description="Timestamp authorities (RFC 3161) that are asked, with commas between them: addresses with http or "
        "https, or `embedded` for our own, which proves nothing to outsiders.",
    )
    timestamp_timeout_seconds: float = Field(
        default=15.0,
        gt=0,
        le=3600,
        description="Longest time one timestamp authority or calendar may take to answer, in seconds.",
    )
    timestamp_renewal_days: int = Field(
        default=90,
        ge=0,
        le=3_650,
        description="How many days before the certificate behind a timestamp token ends the token is renewed; 0 renews "
        "none.",
    )
    trust_file: Path | None = Field(
        default=None,
        description="File that says which timestamp authorities are believed (docs/timestamps.md); with it, tokens of "
        "others are not taken.",
    )

    opentimestamps_calendars: str | None = Field(
        default=None,
        description="Calendars of OpenTimestamps that checkpoints are handed to, with commas between them: addresses "
        "with https, of the calendars themselves and not of a pool; none turns it off (docs/timestamps.md).",
    )
    opentimestamps_hours: int = Field(
        default=24, ge=1, le=8_784, description="Hours from one checkpoint that is handed to calendars to the next."
    )

    log_witnesses: Path | None = Field(
        default=None,
        description="File that names the witnesses of the log with their keys and addresses, and how many of them are "
        "needed (C2SP tlog-policy); docs/witness.md has an example.",
    )
    log_witness_seconds: float = Field(
        default=10.0, gt=0, le=600, description="Longest time one witness may take to answer, in seconds."
    )

    seal_certificate: Path | None = Field(
        default=None,
        description="PEM file of the certificate that evidence packets are sealed with, together with `seal_key`; "
        "without them the store makes a self-issued one.",
    )
    seal_key: Path | None = Field(
        default=None, description="PEM file of the private key of `seal_certificate`, PKCS#8, not encrypted."
    )

    api_key: SecretStr | None = Field(
        default=None, description="API key for commands with `--server`; better in a file that `--key-file` names."
    )

    public_url: str | None = Field(
        default=None,
        description="Where people reach the service, as `https://host` or `https://host:port`; `https` makes cookies "
        "secure and has browsers insist on it.",
    )
    allowed_hosts: str | None = Field(
        default=None,
        description="Further names and addresses under which the service answers, with commas between them; that of "
        "`public_url` and of this machine itself always count.",
    )
    trusted_proxies: str | None = Field(
        default=None,
        description="Networks of reverse proxies whose `X-Forwarded-For` is believed, as CIDRs with commas between.",
    )
    rate_per_minute: int = Field(
        default=600,
        ge=1,
        le=1_000_000,
        description="Requests a minute of one API key, of one member who is signed in, or of one network of strangers; "
        "all keys of a member together have twice as many.",
    )
    max_request_bytes: int = Field(
        default=70_000_000, ge=1_000, le=100_000_000_000, description="Largest body of a request with files, in bytes."
    )

    @field_validator(
        "home", "weights_path", "log_key", "trust_file", "c2pa_trust", "c2pa_chain", "c2pa_key", mode="before"
    )
    @classmethod
    def _is_not_empty(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            raise ValueError("it is empty, which would mean the current folder; leave it unset, or give a path")
        return value

    @field_validator("fetch_allowed_networks", "trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str | None) -> str | None:
        _networks(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, value: str | None) -> str | None:
        return None if value is None else _origin(value)

    @field_validator("fetch_ports")
    @classmethod
    def _are_ports(cls, value: str | None) -> str | None:
        _ports(value)
        return value

    @field_validator("timestamp_authorities")
    @classmethod
    def _are_authorities(cls, value: str | None) -> str | None:
        _authorities(value)
        return value

    @field_validator("opentimestamps_calendars")
    @classmethod
    def _are_calendars(cls, value: str | None) -> str | None:
        _calendars(value)
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, value: str | None) -> str | None:
        return None if value is None else _issuer(value)

    @field_validator("oidc_scopes")
    @classmethod
    def _has_openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("without the scope openid the provider does not say who signs in")
        return " ".join(value.split())

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError("IMGGUARD_OIDC_ISSUER and IMGGUARD_OIDC_CLIENT_ID need each other: set both, or neither")
        if self.oidc_issuer is None and self.oidc_client_secret is not None:
            raise ValueError("IMGGUARD_OIDC_CLIENT_SECRET means nothing without IMGGUARD_OIDC_ISSUER")
        return self

    @model_validator(mode="after")
    def _c2pa_signer_is_whole(self) -> Self:
        if (self.c2pa_chain is None) != (self.c2pa_key is None):
            raise ValueError("IMGGUARD_C2PA_CHAIN and IMGGUARD_C2PA_KEY need each other: set both, or neither")
        return self

    @model_validator(mode="after")
    def _seal_is_whole(self) -> Self:
        if (self.seal_certificate is None) != (self.seal_key is None):
            raise ValueError("IMGGUARD_SEAL_CERTIFICATE and IMGGUARD_SEAL_KEY need each other: set both, or neither")
        return self

    @property
    def worker_count(self) -> int:
        """Images worked on at the same time."""
        return self.jobs or len(os.sched_getaffinity(0))

    @property
    def allowed_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """``fetch_allowed_networks``, parsed."""
        return _networks(self.fetch_allowed_networks)

    @property
    def timestamp_urls(self) -> tuple[str, ...]:
        """``timestamp_authorities``, parsed; `embedded` may be among them."""
        return _authorities(self.timestamp_authorities)

    @property
    def calendar_urls(self) -> tuple[str, ...]:
        """``opentimestamps_calendars``, parsed; without slashes at the end."""
        return _calendars(self.opentimestamps_calendars)

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """``trusted_proxies``, parsed."""
        return _networks(self.trusted_proxies)

    @property
    def extra_hosts(self) -> frozenset[str]:
        """``allowed_hosts``, parsed; lower case, without ports and brackets."""
        return frozenset(part.lower().strip("[]") for part in _parts(self.allowed_hosts))

    @property
    def extra_ports(self) -> frozenset[int]:
        """``fetch_ports``, parsed."""
        return _ports(self.fetch_ports)


def _parts(value: str | None) -> list[str]:
    return [part.strip() for part in (value or "").split(",") if part.strip()]


def _origin(value: str) -> str:
    """``value`` as browsers write it in ``Origin``: lower case, and without the port that goes without saying."""
    parts = urlsplit(value.strip())
    host, port = parts.hostname, parts.port
    if parts.scheme not in ("http", "https") or not host or parts.path not in ("", "/"):
        raise ValueError("it has to be like https://imgguard.example.org, without a path")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("it has a scheme, a host and perhaps a port, and nothing else")
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")


def _authorities(value: str | None) -> tuple[str, ...]:
    found = tuple(_parts(value))
    for part in found:
        if part == EMBEDDED:
            continue
        parts = urlsplit(part)
        if parts.scheme not in ("http", "https") or not parts.hostname or not part.isascii() or not part.isprintable():
            raise ValueError(f"each is like https://tsa.example.org/tsr, or {EMBEDDED}")
        if parts.username is not None or parts.fragment:
            raise ValueError("an authority's address has neither credentials nor a fragment")
        _ = parts.port  # raises ValueError for one that is none
    if len(set(found)) != len(found):
        raise ValueError("an authority is there twice")
    return found


def _calendars(value: str | None) -> tuple[str, ...]:
    found = tuple(part.rstrip("/") for part in _parts(value))
    for part in found:
        if not _ADDRESS.fullmatch(part):
            raise ValueError("each is like https://calendar.example.org, without a query")
        if not urlsplit(part).hostname:
            raise ValueError("a calendar's address has a host")
        _ = urlsplit(part).port  # raises ValueError for one that is none
    if len(set(found)) != len(found):
        raise ValueError("a calendar is there twice")
    return found


def _issuer(value: str) -> str:
    """``value`` as it is: issuers are compared character by character (OpenID Connect Discovery 1.0, section 4.3)."""
    parts = urlsplit(value)
    if not value.isascii() or not value.isprintable() or " " in value or not parts.hostname:
        raise ValueError("it has to be like https://login.example.org")
    if parts.username is not None or parts.query or parts.fragment or value.endswith(("?", "#")):
        raise ValueError("it has a scheme, a host and perhaps a port and a path, and nothing else")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
        raise ValueError("it begins with https://; http:// is for a provider on this machine itself")
    _ = parts.port  # raises ValueError for one that is none
    return value


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _networks(value: str | None) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(part) for part in _parts(value))


def _ports(value: str | None) -> frozenset[int]:
    ports = frozenset(int(part) for part in _parts(value))
    if not all(0 < port < 65536 for port in ports):
        raise ValueError("a port is a number from 1 to 65535")
    return ports
