"""What a timestamp authority is asked, and whether its answer answers it (RFC 3161, sections 2.4.1 and 2.4.2)."""

from typing import ClassVar

from asn1crypto import cms, core, tsp

from imgguard.errors import TimestampInvalid, TimestampRefused
from imgguard.provenance.timestamp_tokens import MAX_TOKEN_BYTES, Digest, read_token, reading

QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"
"""Media types of RFC 3161, section 3.4."""

_GRANTED = frozenset({"granted", "granted_with_mods"})
_LONGEST_REASON = 200
"""Characters of what an authority says, shown to the operator."""


class _Response(core.Sequence):  # type: ignore[misc]
    """As RFC 3161 has it: who says no sends no token."""

    _fields: ClassVar = [("status", tsp.PKIStatusInfo), ("time_stamp_token", cms.ContentInfo, {"optional": True})]


def request_for(digest: Digest, *, nonce: int) -> bytes:
    """The request to stamp ``digest``, with the signer's certificate in the token. ``nonce`` is random, of 64 bits."""
    imprint = {"hash_algorithm": {"algorithm": digest.algorithm}, "hashed_message": digest.value}
    return bytes(
        tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "nonce": nonce, "cert_req": True}).dump()
    )


def read_response(response: bytes, request: bytes) -> bytes:
    """The token that ``response`` brings, if it is the one that ``request`` asked for; not verified any further.

    Raises TimestampRefused when the authority says no, or stamped something else; TimestampInvalid for what is no
    response.
    """
    if len(response) > MAX_TOKEN_BYTES:
        raise TimestampInvalid(f"the response has more than {MAX_TOKEN_BYTES} bytes, the limit")
    with reading("response"):
        parsed = _Response.load(response, strict=True)
        status = parsed["status"]["status"].native
        if status not in _GRANTED:
            raise TimestampRefused(_reason(parsed["status"], str(status)))
        token = bytes(parsed["time_stamp_token"].dump())
        facts = read_token(token).facts
        asked = tsp.TimeStampReq.load(request, strict=True)
    if facts.nonce != asked["nonce"].native:
        raise TimestampRefused("the token answers another request: its nonce differs")
    imprint = asked["message_imprint"]
    if facts.imprint != Digest(
        algorithm=imprint["hash_algorithm"]["algorithm"].native, value=imprint["hashed_message"].native
    ):
        raise TimestampRefused("the token is for another digest than was asked")
    return token


def _reason(info: tsp.PKIStatusInfo, status: str) -> str:
    said = " ".join(info["status_string"].native or ())[:_LONGEST_REASON]
    failures = ", ".join(sorted(info["fail_info"].native or ()))
    return f"the authority answered with {status}" + "".join(
        f" ({part})" for part in (failures, said and ascii(said)) if part
    )
