"""The kinds of jobs, and the services that do them."""

from collections.abc import Mapping

from imgguard.bootstrap import Services
from imgguard.registry.access import Actor
from imgguard.registry.licences import Use
from imgguard.services.captures import capture_of
from imgguard.services.generations import ensure_active
from imgguard.worker.inputs import Handlers, ItemInput


def make(services: Services) -> Handlers:
    """Load what the work needs, so that the first picture waits for nothing. Raises ImgguardError."""
    generation = ensure_active(services.catalogue, services.models, services.clock)
    services.models.reference(generation.weights_sha256)
    services.models.query(generation.weights_sha256)
    services.index.refresh()

    def check(actor: Actor, given: ItemInput, options: Mapping[str, object]) -> Mapping[str, object]:
        profile = str(options.get("profile") or services.settings.profile)
        use = Use(**_texts(options.get("use")))
        capture = None if given.fetched is None else capture_of(given.fetched)
        view = services.checks.check(actor, given.data, file=given.file, profile=profile, use=use, capture=capture)
        # No more than its id: who looks at it later sees what the owners' policies allow by then.
        return {"finding_id": view.finding_id, "verdict": view.verdict, "conclusion": view.conclusion}

    def register(actor: Actor, given: ItemInput, options: Mapping[str, object]) -> Mapping[str, object]:
        title = options.get("title")
        record = services.references.recorded(
            actor,
            given.data,
            file=given.file,
            title=title if isinstance(title, str) else None,
            claims=options.get("claims"),
        )
        return record.model_dump(mode="json")

    return {"check": check, "register": register}


def _texts(value: object) -> dict[str, str]:
    """The members of a JSON object that are texts; what is null is left out."""
    return {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
