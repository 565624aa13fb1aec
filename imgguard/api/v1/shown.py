"""Records as the schemas show them."""

from imgguard.api.schemas import Event, Key, Member, Organisation
from imgguard.registry import accounts
from imgguard.services.account_objects import event_object, key_object, member_object, organisation_object


def organisation(record: accounts.Organisation) -> Organisation:
    return Organisation.model_validate(organisation_object(record))


def member(record: accounts.Member) -> Member:
    return Member.model_validate(member_object(record))


def key(record: accounts.ApiKey) -> Key:
    return Key.model_validate(key_object(record))


def event(record: accounts.AuditEvent) -> Event:
    return Event.model_validate(event_object(record))
