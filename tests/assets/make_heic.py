"""Made the HEIC files beside it; needs `pillow-heif`, which can encode and is not a dependency of imgguard.

    python tests/assets/make_heic.py

``rgb.heic`` 64 x 48, blue ramp with a red block; ``alpha.heic`` the same, left half transparent; ``turned.heic`` the
same, to be shown turned by 90 degrees (stated by the container), with an EXIF time.
"""

from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

HERE = Path(__file__).parent


def main() -> None:
    pillow_heif.register_heif_opener()
    y, x = np.mgrid[0:48, 0:64]
    rgb = np.stack([x * 4, y * 5, np.full_like(x, 128)], -1).clip(0, 255).astype(np.uint8)
    rgb[4:16, 4:20] = (220, 30, 30)
    picture = Image.fromarray(rgb)
    picture.save(HERE / "rgb.heic", quality=90)
    alpha = np.where(x < 32, 0, 255).astype(np.uint8)
    Image.fromarray(np.dstack([rgb, alpha])).save(HERE / "alpha.heic", quality=90)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update({36867: "2024:05:01 10:22:03", 36881: "+08:00"})
    picture.info["exif"] = exif.tobytes()
    picture.save(HERE / "turned.heic", quality=90)


if __name__ == "__main__":
    main()
