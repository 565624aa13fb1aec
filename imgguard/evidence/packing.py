"""Pictures kept compressed until they are looked at: a tenth of the memory, for reports on long runs."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from imgguard.imaging.image import Pixels

_QUALITY = 95  # the report encodes them once more, smaller and harder


@dataclass(frozen=True, slots=True)
class Packed:
    """A picture as JPEG."""

    jpeg: bytes

    @classmethod
    def of(cls, picture: Pixels) -> Self:
        _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        return cls(data.tobytes())

    def pixels(self) -> Pixels:
        """RGB uint8, nearly the picture that was packed."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


type Picture = Pixels | Packed
