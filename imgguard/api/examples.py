"""Examples of objects, for the description of the API."""

from typing import Any

type Example = dict[str, Any]

ORGANISATION: Example = {
    "organisation_id": "org_01jnv7k8ztq5v3n2c4m6p8r0sx",
    "organisation": "Sample Studio",
    "disclosure": "outline",
    "is_operator": False,
    "created_at": "2026-03-01T12:00:00Z",
    "disabled_at": None,
    "erased_at": None,
}
MEMBER: Example = {
    "member_id": "mem_01jnv7kbw2g9h4j6k8m0n2p4qr",
    "organisation_id": "org_01jnv7k8ztq5v3n2c4m6p8r0sx",
    "email": "ann@example.org",
    "name": "Ann Example",
    "roles": ["rights_holder"],
    "has_password": True,
    "is_linked": False,
    "created_at": "2026-03-01T12:00:00Z",
    "disabled_at": None,
    "erased_at": None,
}
KEY: Example = {
    "key_id": "key_01jnv7kea5c7e9g1j3m5p7r9tw",
    "organisation_id": "org_01jnv7k8ztq5v3n2c4m6p8r0sx",
    "member_id": "mem_01jnv7kbw2g9h4j6k8m0n2p4qr",
    "name": "feed",
    "prefix": "imgguard_01jnv7kea5c7e9g1j3m5p7r9tw",
    "scopes": ["checks:read", "checks:write"],
    "created_at": "2026-03-01T12:00:00Z",
    "expires_at": "2027-03-01T12:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}
TOKEN = "0" * 51 + "1"
WAY_OUT = "https://login.example.org/authorize?response_type=code&client_id=imgguard&state=..."
INVITEE: Example = {
    "email": "bob@example.org",
    "name": "Bob Example",
    "organisation": "Corner Shop",
    "invited_by": "Ann Example",
}
EVENT: Example = {
    "event_id": "evt_01jnv7kgs8d0f2h4k6n8q0t2vx",
    "at": "2026-03-01T12:00:00Z",
    "actor": "mem_01jnv7kbw2g9h4j6k8m0n2p4qr",
    "key_id": None,
    "organisation_id": "org_01jnv7k8ztq5v3n2c4m6p8r0sx",
    "action": "organisation.disclosure_changed",
    "object_id": "org_01jnv7k8ztq5v3n2c4m6p8r0sx",
    "parties": ["org_01jnv7k8ztq5v3n2c4m6p8r0sx"],
    "detail": {"disclosure": "contact"},
}
WHO: Example = {
    "organisation_id": "org_01jnv7k8ztq5v3n2c4m6p8r0sx",
    "organisation": "Sample Studio",
    "is_operator": False,
    "member_id": "mem_01jnv7kbw2g9h4j6k8m0n2p4qr",
    "name": "Ann Example",
    "key_id": None,
    "roles": ["rights_holder"],
    "scopes": ["checks:read", "checks:write", "references:read", "references:write"],
    "is_linked": False,
    "csrf_token": "9f2c" * 16,
}
PROBLEM: Example = {
    "type": "https://imgguard.invalid/problems/not_found",
    "title": "Not found",
    "status": 404,
    "detail": "no member mem_01jnv7kbw2g9h4j6k8m0n2p4qr",
    "code": "not_found",
    "hint": "Look at the members of your organisation.",
    "request_id": "req_01jnv7kj1v3x5z7b9d1f3h5k7n",
}
