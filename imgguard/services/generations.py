"""The index generation that registrations and checks work with."""

from imgguard.ports import Catalogue, Clock, Generation, ReferenceIndex
from imgguard.services.models import Models


def ensure_active(catalogue: Catalogue, models: Models, clock: Clock) -> Generation:
    """The active generation; a store that has none, being new, gets one with the weights of the settings."""
    active = catalogue.active_generation()
    if active is not None:
        return active
    building = catalogue.begin_generation(models.configured().sha256, at=clock.now())
    return catalogue.activate_generation(building.generation_id, at=clock.now())


def current(index: ReferenceIndex, catalogue: Catalogue, models: Models, clock: Clock) -> Generation:
    """The generation that the index will search next, after taking over what other processes changed."""
    ensure_active(catalogue, models, clock)
    index.refresh()
    return index.generation or ensure_active(catalogue, models, clock)
