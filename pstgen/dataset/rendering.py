"""From an item and its scene to the cells of its row: image, targets, chain."""

from pathlib import Path

from pstgen.core.records import Item, Scene
from pstgen.dataset import rationale, rows, schema, targets
from pstgen.dataset.rows import Cells, Row


def render(item: Item, scene: Scene) -> Row:
    """The item with its image's bytes and every target that its scene knows."""
    rendered = (targets.render(name, item, scene) for name in schema.targets())
    return Row(
        item=item,
        scene=scene,
        image=Path(item.image).read_bytes(),
        suffix=Path(item.image).suffix.lower(),
        targets=tuple(target for target in rendered if target),
        depth_kind="" if not scene.depth_path else "estimated" if scene.depth_model else "exact",
        chain=rationale.chain(item, scene),
    )


def cells(shown: tuple[Item, Scene], /) -> Cells:
    """The cells of the row of an item and its scene; a function of its own, so that worker processes can import it."""
    return rows.cells(render(*shown))
