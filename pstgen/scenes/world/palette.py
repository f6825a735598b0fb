"""Colours of the built-in world: basic colour names, and how light changes them."""

import numpy as np

RGB = tuple[int, int, int]

BASIC: dict[str, RGB] = {
    "red": (206, 38, 40),
    "orange": (243, 132, 24),
    "yellow": (247, 212, 50),
    "green": (50, 150, 62),
    "blue": (42, 96, 200),
    "purple": (126, 60, 170),
    "pink": (246, 140, 178),
    "brown": (126, 78, 42),
    "black": (38, 38, 42),
    "white": (244, 244, 240),
    "grey": (140, 142, 146),
}
SKIN: tuple[RGB, ...] = ((241, 205, 177), (224, 172, 128), (178, 122, 82), (112, 72, 48))
HAIR: tuple[RGB, ...] = ((52, 36, 28), (96, 62, 34), (196, 150, 72), (150, 68, 36), (120, 118, 116))


def shade(colour: RGB, factor: float) -> RGB:
    """Darker below one, lighter above: towards black, or towards white.

    >>> shade((100, 100, 100), 0.5), shade((100, 100, 100), 1.2)
    ((50, 50, 50), (131, 131, 131))
    """
    if factor <= 1:
        return tuple(int(c * factor) for c in colour)  # type: ignore[return-value]
    return tuple(int(c + (255 - c) * (factor - 1)) for c in colour)  # type: ignore[return-value]


def jitter(colour: RGB, rng: np.random.Generator, by: int = 8) -> RGB:
    """The same colour, a little lighter or darker, redder or bluer."""
    moved = np.clip(np.array(colour) + rng.integers(-by, by + 1, 3), 0, 255)
    return int(moved[0]), int(moved[1]), int(moved[2])
