"""The witnesses of the log, from the file that the settings name."""

from imgguard.errors import ConfigurationError, FetchRefused, PolicyInvalid
from imgguard.net.policy import FetchPolicy
from imgguard.net.witnessing import RemoteWitness
from imgguard.ports import LogWitness
from imgguard.provenance.notes import COSIGNATURE
from imgguard.provenance.policy import Policy, parse_policy
from imgguard.settings import Settings

_SETTING = "IMGGUARD_LOG_WITNESSES"


def log_policy(settings: Settings) -> Policy | None:
    """None where the settings name no file. Raises ConfigurationError."""
    text = log_policy_text(settings)
    try:
        return None if text is None else parse_policy(text)
    except PolicyInvalid as error:
        raise ConfigurationError(f"{_SETTING}: {settings.log_witnesses}, {error.detail}", hint=error.advice) from error


def log_policy_text(settings: Settings) -> bytes | None:
    """The same as it was written. Raises ConfigurationError."""
    path = settings.log_witnesses
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{_SETTING}: {path} cannot be read: {error.strerror}") from error


def log_witnesses(settings: Settings, policy: Policy | None) -> tuple[LogWitness, ...]:
    """Those of ``policy`` that have an address, in its order. Raises ConfigurationError."""
    rules = FetchPolicy(
        seconds=settings.log_witness_seconds,
        connect_seconds=settings.fetch_connect_seconds,
        allowed_networks=settings.allowed_networks,
        contact=settings.fetch_contact,
    )
    found = []
    for one in () if policy is None else policy.witnesses:
        if one.key.key_type != COSIGNATURE:
            raise ConfigurationError(f"{_SETTING}: the key of {one.name} is of a type that is not verified here")
        try:
            found += [RemoteWitness(one.name, one.url, one.key, rules)] if one.url else []
        except FetchRefused as error:
            raise ConfigurationError(f"{_SETTING}: {one.name}: {error.detail}") from error
    return tuple(found)
