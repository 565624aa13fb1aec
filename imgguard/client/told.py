"""What all objects have that the server tells."""

from pydantic import BaseModel, ConfigDict


class Told(BaseModel):
    """Base of all."""

    model_config = ConfigDict(frozen=True, extra="ignore")
