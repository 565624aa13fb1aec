"""What this installation is called in what it gives out, and what others need to believe that."""

import json
from collections.abc import Callable

from cryptography.hazmat.primitives.serialization import Encoding

from imgguard.errors import ConfigurationError, NotFound
from imgguard.evidence.packet.seal_keys import SealKey
from imgguard.provenance.policy import parse_policy
from imgguard.services.transparency import Transparency

type SealOf = Callable[[str], SealKey]
"""The key that seals for an installation, which is the origin of its log."""


class Installation:
    """Thread safe. ``witnesses`` is the operator's tlog-policy, if there is one."""

    def __init__(self, *, transparency: Transparency, seal_of: SealOf, witnesses: bytes | None) -> None:
        self._transparency = transparency
        self._seal_of = seal_of
        self._witnesses = witnesses

    @property
    def name(self) -> str:
        """The origin of the log. Raises NotFound before there is one."""
        keys = self._transparency.status().keys
        if not keys:
            raise NotFound("there is no log yet", hint="`imgguard log publish` begins it.")
        return keys[-1].name

    @property
    def seal(self) -> SealKey:
        """What its packets are sealed with. Raises NotFound, ConfigurationError."""
        return self._seal_of(self.name)

    def policy(self) -> bytes:
        """The tlog-policy that is recommended: every key that has signed this log, and the operator's witnesses.

        Raises PolicyInvalid.
        """
        rest = b"quorum none\n" if self._witnesses is None else self._witnesses
        known = parse_policy(rest).log_keys
        keys = [key for key in self._transparency.status().keys if key not in known]
        return b"".join(f"log {key.text}\n".encode() for key in keys) + rest

    def trust_file(self) -> str:
        """What somebody who believes this installation has to write into a trust file: its log, and its seal.

        Raises NotFound before there is a log, ConfigurationError.
        """
        certificate = self.seal.certificate.public_bytes(Encoding.PEM).decode()
        try:
            policy = self.policy().decode()
        except UnicodeDecodeError as error:
            raise ConfigurationError("the file of witnesses is not UTF-8", hint="Write it anew in UTF-8.") from error
        return "\n".join(
            (
                "[log]",
                f"policy = {_toml(policy)}",
                "",
                "[[seal]]",
                f"name = {_toml(self.name)}",
                f"certificate = {_toml(certificate)}",
                "",
            )
        )


def _toml(text: str) -> str:
    """A string, on several lines where that can be read."""
    if "\n" in text and "'''" not in text:
        return f"'''\n{text}'''"
    return json.dumps(text, ensure_ascii=False)
