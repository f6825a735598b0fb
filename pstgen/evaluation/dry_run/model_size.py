"""What a model's questions cost by its configuration alone: its weights need not be there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pstgen.core.config import JudgeConfig, Way
from pstgen.core.records import BadInput, Unavailable
from pstgen.evaluation.dry_run import parameters, tokens
from pstgen.evaluation.dry_run.parameters import Parameters
from pstgen.evaluation.dry_run.tokens import Questions, Size, Tokens
from pstgen.models import asking, loading
from pstgen.models.chat import Chat
from pstgen.models.huggingface import ROWS
from pstgen.models.loading import Kind, ModelOptions
from pstgen.models.looking import OTHERS

ANSWER = 3  # tokens of an answer in words of its own, assumed
GREY_VIEW, OTHER_VIEW = "vlm/grey-image", "vlm/other-image"


@dataclass(frozen=True)
class Described:
    """A model by its configuration. prompts: of one question. seen: tokens with a picture; blind: without one."""

    name: str
    way: Way
    prompts: int
    parameters: Parameters
    seen: Tokens | None
    blind: Tokens


@dataclass(frozen=True)
class Load:
    """What a question puts on a model.

    tokens: through the language model, padding and all; sent: of whole prompts, as a server is sent them. patches: through the
    encoder.
    """

    tokens: float
    sent: float
    patches: float


def describe(
    name: str, kind: Kind, judges: JudgeConfig, questions: Questions, sizes: Sequence[Size]
) -> Described | None:
    """The model by the files of its folder, or by those that the hub's cache has; None where it has none.

    sizes: of pictures. Raises Unavailable where a folder is no model's that can be asked. Nothing is downloaded or run.
    """
    import transformers

    loading.check_name(name)
    name, _ = loading.with_base(name, ModelOptions(adapter=judges.adapter if kind != "text" else None))
    source, where = _source(name, judges.vlm_revision if kind != "text" else None)
    transformers.logging.set_verbosity_error()
    try:
        loading.check_kind(name, kind, source, where)
        config = transformers.AutoConfig.from_pretrained(source, **where)
        auto = transformers.AutoTokenizer if kind == "text" else transformers.AutoProcessor
        chat = Chat(name, auto.from_pretrained(source, **where), config, sees=kind != "text")
        size = parameters.of(config, kind)
    except (BadInput, Unavailable):
        raise
    except Exception as error:  # a broken folder can raise anything at all
        if not Path(source).exists():
            return None
        raise Unavailable(f"{name}: its configuration does not open: {loading.reason(error)}") from error
    way = judges.ask or asking.default_way(_asked(config, chat))
    seen = tokens.of(chat, config, questions, way, sizes) if chat.sees else None
    return Described(name, way, prompts(way), size, seen, tokens.of(chat, config, questions, way, ()))


def prompts(way: Way) -> int:
    """How many prompts one question is: by letters, its options in both orders."""
    return 2 if way == "letters" else 1


def load(model: Described, judge: str, batch: int) -> Load:
    """Of one question to that judge, where an image and what stands before a question are run once for all that share them."""
    from pstgen.models.scoring import WORDS

    out = ANSWER if model.way == "generate" else 0
    if judge in {"lm", "vlm/no-image"} or model.seen is None:
        of = model.blind
        whole = model.prompts * (of.before + of.own + out)
        shared = of.before / ROWS if of.before >= WORDS else of.before
        return Load(model.prompts * (shared + of.longest + out), whole, 0.0)
    of, passes = model.seen, -(-batch * model.prompts // ROWS)
    image, patches = (of.grey, of.grey_patches) if judge == GREY_VIEW else (of.image, of.patches)
    pictures = {GREY_VIEW: passes / batch, OTHER_VIEW: (OTHERS + passes - 1) / batch}.get(judge, 1.0)
    whole = model.prompts * (of.before + of.own + image + out)
    if model.way == "generate":  # every prompt is a row of its own
        return Load(whole, whole, model.prompts * patches)
    pictures = min(pictures, float(model.prompts))
    return Load(pictures * (of.before + image) + model.prompts * of.longest, whole, pictures * patches)


def flops(size: Parameters, load_: Load) -> float:
    """Floating-point operations: two for each parameter and token, of the encoder for each patch.

    Attention among tokens, and the output's matrix, which only the tokens before an answer go through, are left out.
    """
    return 2.0 * (size.language * load_.tokens + size.vision * load_.patches)


def _asked(config: Any, chat: Chat) -> Any:
    """What `asking.default_way` looks at of a model."""
    return SimpleNamespace(model=SimpleNamespace(config=config), chats=chat.template is not None)


def _source(name: str, revision: str | None) -> tuple[str, dict[str, Any]]:
    """What `from_pretrained` takes, from this machine alone."""
    path = Path(name)
    where: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    if revision and not path.exists():
        where["revision"] = revision
    if path.suffix == ".gguf":
        if not path.is_file():
            raise Unavailable(f"{name}: no such file")
        return str(path.parent), where | {"gguf_file": path.name}
    return name, where
