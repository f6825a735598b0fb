"""The built-in world under another name."""

from pstgen.scenes.sources import world

index, scenes, origin = world.index, world.scenes, world.origin
