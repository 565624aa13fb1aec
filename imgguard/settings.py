"""All settings: one frozen object, built once at an entry point, from the environment (prefix ``IMGGUARD_``)."""

import os
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator can change. Every field is described in docs/settings.md; a test keeps the two together."""

    model_config = SettingsConfigDict(env_prefix="IMGGUARD_", frozen=True, extra="forbid")

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("imgguard")),
        description="Folder of the database, the stored originals and the index.",
    )
    profile: Literal["quick", "thorough"] = Field(
        default="thorough", description="How hard a check looks when the command does not say."
    )
    jobs: int = Field(default=0, ge=0, le=256, description="Images worked on at the same time; 0 means one per core.")
    candidates: int = Field(
        default=10, ge=1, le=100, description="How many candidates of the index are examined pixel by pixel per image."
    )
    query_retention_days: int = Field(
        default=30, ge=0, description="How long the bytes of a checked image are kept; 0 keeps none."
    )
    max_image_bytes: int = Field(default=64_000_000, ge=1, description="Largest accepted file, in bytes.")
    max_image_pixels: int = Field(
        default=100_000_000, ge=1, description="Largest accepted picture, in pixels (width x height)."
    )
    max_image_frames: int = Field(
        default=2_000, ge=1, description="Most frames or pages a file may declare; only the first is used."
    )
    decode_seconds: float = Field(default=20.0, gt=0, description="Longest time a file may take to decode, in seconds.")
    decode_memory_bytes: int = Field(
        default=2_000_000_000, ge=256_000_000, description="Address space a decoder process may use, in bytes."
    )
    weights: str = Field(
        default="sscd", description="Embedding weights of new index generations: `sscd`, `sscd_distilled` or `custom`."
    )
    weights_path: Path | None = Field(default=None, description="ONNX file used when `weights` is `custom`.")
    weights_sha256: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="SHA-256 that the file at `weights_path` must have."
    )

    @property
    def worker_count(self) -> int:
        """Images worked on at the same time."""
        return self.jobs or len(os.sched_getaffinity(0))
