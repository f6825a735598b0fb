"""The trainer of both stages: Transformers' own, with our losses, our rates, and a stop where a loss is no number."""

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError

from pstgen.core.records import BadInput, Unavailable
from pstgen.training.batches import Steps
from pstgen.training.recipe import Recipe

LOG_EVERY = 10
COOLING = 0.25  # of the steps, at the end, in which the rate goes down to nothing
WEIGHTS, STATE = "model.safetensors", "trainer_state.json"
NORM = 1.0  # of the gradient, at most
TOLD = frozenset({"ratio"})  # parts that are logged and not learnt from

Parts = dict[str, torch.Tensor]
Losses = Callable[[Any, dict[str, Any], int], Parts]  # model, batch, step → weighed parts whose sum is the loss
Log = Callable[[int, dict[str, float]], None]


class Trainer(transformers.Trainer):
    """One stage. `losses` says what is learnt from a batch."""

    def __init__(self, losses: Losses, log: Log, **settings: Any) -> None:
        super().__init__(**settings)
        self.losses, self.show = losses, log
        self.model_accepts_loss_kwargs = False  # so that the trainer itself divides by accumulated batches
        self.passed = 0  # batches of an update

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **_: Any) -> Any:  # noqa: FBT001, FBT002 (Transformers' signature)
        """The sum of the parts. Raises BadInput, naming step and scenes, where it is no number; the last checkpoint stays."""
        update, several = int(self.state.global_step), self.args.gradient_accumulation_steps
        batch = update * several + self.passed
        self.passed = (self.passed + 1) % several
        parts = self.losses(model, inputs, update)
        loss = whole(parts)
        if not torch.isfinite(loss):
            told = ", ".join(f"{name} {part.item():.3g}" for name, part in parts.items())
            raise _no_number(self.args.output_dir, f"the loss of step {batch}", told, self.train_dataset.scenes(batch))
        figures = {name: float(part.detach()) for name, part in parts.items()} | {"loss": float(loss.detach())}
        self.show(batch, figures)
        self._note(batch, figures)
        return (loss, {}) if return_outputs else loss

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002 (Transformers' signature)
        """All weights under the names that they have in memory, the perception heads' among them."""
        from safetensors.torch import save_model

        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.model, str(folder / WEIGHTS))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:  # noqa: ARG002 (likewise)
        from safetensors.torch import load_model

        load_model(self.model, str(Path(resume_from_checkpoint) / WEIGHTS), device=str(self.args.device))

    def _note(self, step: int, figures: dict[str, float]) -> None:
        """One line of every LOG_EVERY-th step, for the curves."""
        if step % LOG_EVERY == 0:
            with (Path(self.args.output_dir) / "log.jsonl").open("a") as file:
                file.write(json.dumps({"step": step} | figures) + "\n")


class Gradients(transformers.TrainerCallback):
    """Stops before weights are changed by a gradient that is no number."""

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ARG002 (Transformers' signature)
        """Raises BadInput, naming the step; the last checkpoint stays."""
        size = torch.nn.utils.get_total_norm([each.grad for each in model.parameters() if each.grad is not None])
        if not torch.isfinite(size):
            step = state.global_step * args.gradient_accumulation_steps
            raise _no_number(args.output_dir, f"a gradient of step {step}", f"its size is {size.item():g}", ())


def _no_number(out: str, what: str, told: str, scenes: Sequence[str]) -> BadInput:
    shown = f" on the scenes {', '.join(scenes)}" if scenes else ""
    return BadInput(
        f"{out}: {what} is no number ({told}){shown}; the last checkpoint is kept: "
        "lower the learning rate, or look at that batch"
    )


def whole(parts: Parts) -> torch.Tensor:
    """The loss: every part but what is only told."""
    return torch.stack([part for name, part in parts.items() if name not in TOLD]).sum()


def run(  # noqa: PLR0913, PLR0917 (what a stage is made of)
    model: Any, steps: Steps, losses: Losses, recipe: Recipe, rates: Mapping[str, float], out: Path,
    seed: int, log: Log,
) -> None:  # fmt: skip
    """Train `model` for as many steps as there are batches; what was cut off goes on from its last checkpoint.

    rates: learning rate of the parameters whose names begin so, the first that fits; "" fits all. A parameter of
    `recipe.frozen` is not trained. Raises BadInput where a frozen name fits nothing.
    """
    freeze(model, recipe.frozen)
    number = len(steps)
    updates = number // recipe.accumulate
    arguments = transformers.TrainingArguments(
        output_dir=str(out),
        max_steps=updates,
        per_device_train_batch_size=1,  # a batch of ours
        gradient_accumulation_steps=recipe.accumulate,
        save_steps=recipe.keep_every,
        save_total_limit=1,
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=seed,
        data_seed=seed,
        use_cpu=not torch.cuda.is_available(),
        bf16=quick_bf16(),
        max_grad_norm=NORM,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        dataloader_num_workers=2 if torch.cuda.is_available() else 0,
    )
    optimized = optimizer(model, rates, recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimized, lambda step: pace(step, updates, recipe.warm_up))
    trainer = Trainer(
        losses,
        log,
        model=model,
        args=arguments,
        train_dataset=steps,
        data_collator=lambda some: some[0],
        optimizers=(optimized, schedule),
    )
    trainer._get_train_sampler = lambda *_: torch.utils.data.SequentialSampler(steps)  # noqa: SLF001 (batches come in their own order)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.add_callback(Gradients())
    out.mkdir(parents=True, exist_ok=True)
    trainer.train(resume_from_checkpoint=_last(out))


def _last(out: Path) -> str | None:
    """The last checkpoint that is whole; the trainer's state is what is written last."""
    whole, torn = list[Path](), list[Path]()
    for folder in out.glob("checkpoint-*"):
        (whole if (folder / STATE).is_file() else torn).append(folder)
    for folder in torn:
        shutil.rmtree(folder)
    return str(max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]))) if whole else None


@contextmanager
def space(out: Path) -> Iterator[None]:
    """A full disk is no traceback."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Unavailable(f"{out}: cannot be written: {why}; the last checkpoint is kept") from error


def freeze(model: Any, frozen: tuple[str, ...]) -> None:
    """Take these parameters out of training. Raises BadInput where one of them fits no parameter."""
    named = {_bare(name): parameter for name, parameter in model.named_parameters()}
    for start in frozen:
        if not any(name.startswith(start) for name in named):
            raise BadInput(f"frozen: no parameter's name begins with {start!r}; one is {next(iter(named))!r}")
    for name, parameter in named.items():
        if name.startswith(frozen):
            parameter.requires_grad = False


def _bare(name: str) -> str:
    """A parameter's name as it is without adapters."""
    return name.removeprefix("base_model.model.")


def optimizer(model: Any, rates: Mapping[str, float], decay: float) -> torch.optim.AdamW:
    """What changes the weights after every update's batches."""
    return torch.optim.AdamW(groups(model, rates, decay), betas=(0.9, 0.98))


def groups(model: Any, rates: Mapping[str, float], decay: float) -> list[dict[str, Any]]:
    """Parameters by rate, and by whether they decay: matrices do, biases and norms do not."""
    told: dict[tuple[float, float], list[Any]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = next(rate for start, rate in rates.items() if _bare(name).startswith(start))
            told.setdefault((rate, decay if parameter.ndim > 1 else 0.0), []).append(parameter)
    return [{"params": some, "lr": rate, "weight_decay": fades} for (rate, fades), some in told.items()]


def pace(step: int, steps: int, warm_up: int) -> float:
    """Share of the rate: up in a line, level, and down in a line over the last quarter.

    >>> pace(0, 100, 10), pace(50, 100, 10), round(pace(99, 100, 10), 2)
    (0.1, 1.0, 0.04)
    """
    return min(1.0, (step + 1) / max(1, warm_up), (steps - step) / max(1, math.ceil(COOLING * steps)))


def quick_bf16() -> bool:
    """Does this processor multiply bfloat16 quickly? On others it is far slower than float32."""
    return torch.cuda.is_available() or bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 (nothing public tells)
