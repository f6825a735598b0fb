"""Weather, noise, blur and compression, by albumentations, which no other module imports."""

import os
import warnings
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Unavailable

KINDS = ("rain", "fog", "snow", "sun_flare", "night", "noise", "blur", "jpeg")
STRENGTHS = (1, 2, 3)
PINNED = "albumentations==2.0.8"  # the last one under the MIT licence

RAIN = ("drizzle", "heavy", "torrential")
DIMMED = (0.85, 0.75, 0.65)  # by rain, of the brightness
FOG = (0.3, 0.55, 0.8)
SNOW = ((0.3, 1.4), (0.45, 1.6), (0.6, 1.8))  # what is darker than this lies under snow; how much brighter it gets
FLARE = (0.2, 0.45, 0.9)  # radius of the sun, of the shorter side
NIGHT = (-0.3, -0.5, -0.65)  # of the full range, that every value is darker; the contrast falls by half as much
NOISE = (0.04, 0.08, 0.16)  # standard deviation, of the full range
BLUR = (0.01, 0.02, 0.04)  # standard deviation, of the shorter side
JPEG = (40, 20, 8)  # quality


def corrupt(image: NDArray[np.uint8], kind: str, strength: int, seed: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB → the same size; the same seed draws the same drops. strength: 1, 2 or 3.

    Raises Unavailable where albumentations is not installed, or is a version with other arguments.
    """
    transform = _transform(kind, strength, min(image.shape[:2]))
    transform.set_random_seed(seed)
    corrupted: NDArray[np.uint8] = transform(image=image)["image"]
    return corrupted


@lru_cache(maxsize=64)
def _transform(kind: str, strength: int, side: int) -> Any:
    """The transform of images whose shorter side is `side` pixels. An unknown argument only warns: here it is an error."""
    albumentations = _albumentations()
    name, arguments = _arguments(kind, strength - 1, side)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return albumentations.Compose([getattr(albumentations, name)(**arguments, p=1)])
        except (UserWarning, AttributeError, ValueError, TypeError) as error:
            raise Unavailable(
                f"albumentations {albumentations.__version__} does not draw {kind} as {PINNED} does: {error}"
            ) from error


def _albumentations() -> Any:
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # or it calls home as it is imported
    try:
        import albumentations
    except ImportError as error:
        raise Unavailable(f"weather needs albumentations: pip install {PINNED} ({error})") from error
    return albumentations


def _arguments(kind: str, n: int, side: int) -> tuple[str, dict[str, Any]]:
    """The name of the transform, and its arguments."""
    covered, brighter = SNOW[n]
    deviation = BLUR[n] * side
    kernel = 2 * round(side / 100) + 1  # of rain's blur, pixels
    transforms: dict[str, tuple[str, dict[str, Any]]] = {
        "rain": ("RandomRain", {"rain_type": RAIN[n], "brightness_coefficient": DIMMED[n], "blur_value": kernel}),
        "fog": ("RandomFog", {"fog_coef_range": (FOG[n], FOG[n]), "alpha_coef": 0.1}),
        # The other method, texture, adds to the hue: what was red would be blue.
        "snow": (
            "RandomSnow",
            {"snow_point_range": (covered, covered), "brightness_coeff": brighter, "method": "bleach"},
        ),
        "sun_flare": ("RandomSunFlare", {"src_radius": round(FLARE[n] * side), "method": "physics_based"}),
        "night": (
            "RandomBrightnessContrast",
            {"brightness_limit": (NIGHT[n], NIGHT[n]), "contrast_limit": (NIGHT[n] / 2, NIGHT[n] / 2)},
        ),
        "noise": ("GaussNoise", {"std_range": (NOISE[n], NOISE[n])}),
        "blur": ("GaussianBlur", {"blur_limit": 0, "sigma_limit": (deviation, deviation)}),
        "jpeg": ("ImageCompression", {"quality_range": (JPEG[n], JPEG[n])}),
    }
    return transforms[kind]
