"""Who one is, and the organisation. Keys and members are made by people, on the pages, not by keys."""

from collections.abc import Iterator

from imgguard.client.calls import Calls
from imgguard.client.people import Account, Event, Key, Member, Organisation
from imgguard.client.session import path_of


class AccountCalls(Calls):
    def account(self) -> Account:
        """On whose behalf the server answers, and what it allows. Raises AccessProblem."""
        return self._session.get(path_of("session")).read(Account)

    def organisation(self) -> Organisation:
        """The own one."""
        return self._session.get(path_of("organisation")).read(Organisation)

    def set_disclosure(self, disclosure: str) -> Organisation:
        """What strangers' checks reveal of the originals: ``full``, ``outline`` or ``contact``. Raises AccessProblem,
        InvalidProblem."""
        return self._session.ask("PATCH", path_of("organisation"), body={"disclosure": disclosure}).read(Organisation)

    def members(self) -> Iterator[Member]:
        """Of the own organisation, oldest first."""
        return self._list(Member, path_of("members"))

    def api_keys(self) -> Iterator[Key]:
        """The member's own; those of the organisation for its admins."""
        return self._list(Key, path_of("keys"))

    def revoke_key(self, key_id: str) -> Key:
        """From now on it opens nothing. Raises NotFoundProblem."""
        return self._session.ask("DELETE", path_of("keys", key_id)).read(Key)

    def audit_events(self, *, about: str | None = None, newest_first: bool = True) -> Iterator[Event]:
        """The audit trail; ``about``: only events with this actor or object. Raises AccessProblem."""
        params = {"about": about, "newest_first": str(newest_first).lower()}
        return self._list(Event, path_of("audit-events"), params)
