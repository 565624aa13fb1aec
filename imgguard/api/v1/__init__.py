"""The routes of ``/v1``, a module for each noun. A new one is added to `ROUTERS`."""

from imgguard.api.v1 import (
    audit,
    checks,
    collections,
    compare,
    decisions,
    invitations,
    jobs,
    keys,
    licence_documents,
    licences,
    members,
    organisations,
    references,
    session,
    works,
)

ROUTERS = (
    session.router,
    session.open_router,
    invitations.router,
    organisations.router,
    members.router,
    keys.router,
    audit.router,
    checks.router,
    jobs.router,
    references.router,
    works.router,
    collections.router,
    compare.router,
    licences.router,
    licence_documents.router,
    decisions.router,
)
