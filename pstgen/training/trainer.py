"""The trainer of every stage: Transformers' own, with our losses, our rates, and a stop where a loss is not finite."""

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError

from pstgen.core.records import BadInput, Unavailable
from pstgen.training.batches import Batches

LOG_EVERY = 10
COOLING = 0.25  # of the updates, at the end, in which the rate goes down to nothing
WEIGHTS, STATE = "model.safetensors", "trainer_state.json"
MAX_NORM = 1.0  # of the gradient
BETAS = (0.9, 0.98)
ONLY_LOGGED = frozenset({"ratio", "rewarded"})  # parts that are not losses

Parts = dict[str, torch.Tensor]
Losses = Callable[[Any, dict[str, Any], int], Parts]  # model, batch, step → weighted parts whose sum is the loss
Log = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Settings:
    """How the weights are changed.

    accumulate: batches that make one update; warm_up, cooling, keep_every: updates, in which the rate goes up, and down
    again at the end (by default a quarter), and between checkpoints. frozen: beginnings of the names of parameters that
    are not trained. device: auto or cpu. workers: processes that make batches where there is no accelerator.
    """

    warm_up: int
    weight_decay: float
    seed: int = 0
    accumulate: int = 1
    cooling: int | None = None
    keep_every: int = 250
    frozen: tuple[str, ...] = ()
    device: str = "auto"
    workers: int = 0

    @property
    def device_type(self) -> str:
        """The accelerator, where there is one and it may be used."""
        return "cuda" if self.device != "cpu" and torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Stage:
    """A model, its batches, and what it learns from them.

    rates: learning rate of the parameters whose names begin so, the first that fits; "" fits all. save: writes what is
    left in the folder at the end.
    """

    model: Any
    batches: Batches
    losses: Losses
    rates: Mapping[str, float]
    settings: Settings
    save: Callable[[], None]


class Trainer(transformers.Trainer):
    """Trains a stage, whose `losses` say what is learnt from a batch."""

    def __init__(self, losses: Losses, log_step: Log, **settings: Any) -> None:
        super().__init__(**settings)
        self.losses, self.log_step = losses, log_step
        self.model_accepts_loss_kwargs = False  # so that the trainer itself divides by accumulated batches
        self.passed = 0  # batches of an update

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **_: Any) -> Any:  # noqa: FBT001, FBT002 (Transformers' signature)
        """The sum of the parts. Raises BadInput, naming step and scenes, where it is not finite; the last checkpoint stays."""
        update, accumulate = int(self.state.global_step), self.args.gradient_accumulation_steps
        step = update * accumulate + self.passed
        self.passed = (self.passed + 1) % accumulate
        parts = self.losses(model, inputs, update)
        loss = total_loss(parts)
        if not torch.isfinite(loss):
            values = ", ".join(f"{name} {part.item():.3g}" for name, part in parts.items())
            scenes = self.train_dataset.scenes(step)
            raise _not_finite(self.args.output_dir, f"the loss of step {step}", values, scenes)
        figures = {name: float(part.detach()) for name, part in parts.items()} | {"loss": float(loss.detach())}
        self.log_step(step, figures)
        self._write_log(step, figures)
        return (loss, {}) if return_outputs else loss

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002 (Transformers' signature)
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_weights(self.model, folder)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:  # noqa: ARG002 (likewise)
        load_weights(self.model, Path(resume_from_checkpoint), str(self.args.device))

    def _write_log(self, step: int, figures: dict[str, float]) -> None:
        """One line of every LOG_EVERY-th step, for the curves."""
        if step % LOG_EVERY == 0:
            with (Path(self.args.output_dir) / "log.jsonl").open("a") as file:
                file.write(json.dumps({"step": step} | figures) + "\n")


class GradientCheck(transformers.TrainerCallback):
    """Stops before weights are changed by a gradient that is not finite."""

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ARG002 (Transformers' signature)
        """Raises BadInput, naming the step; the last checkpoint stays."""
        norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
        if not torch.isfinite(norm):
            step = state.global_step * args.gradient_accumulation_steps
            raise _not_finite(args.output_dir, f"a gradient of step {step}", f"its norm is {norm.item():g}", ())


def _not_finite(out: str, what: str, values: str, scenes: Sequence[str]) -> BadInput:
    where = f" on the scenes {', '.join(scenes)}" if scenes else ""
    return BadInput(
        f"{out}: {what} is not finite ({values}){where}; the last checkpoint is kept: "
        "lower the learning rate, or look at that batch"
    )


def total_loss(parts: Parts) -> torch.Tensor:
    """The sum of every part that is not only logged."""
    return torch.stack([part for name, part in parts.items() if name not in ONLY_LOGGED]).sum()


def train(stage: Stage, out: Path, log_step: Log) -> None:
    """Train for as many steps as there are batches; what was cut off goes on from its last checkpoint.

    Raises BadInput where a frozen name fits no parameter.
    """
    settings, batches = stage.settings, stage.batches
    freeze(stage.model, settings.frozen)
    updates = len(batches) // settings.accumulate
    optimizer = build_optimizer(stage)
    trainer = Trainer(
        stage.losses,
        log_step,
        model=stage.model,
        args=_arguments(settings, updates, out),
        train_dataset=batches,
        data_collator=lambda items: items[0],
        optimizers=(optimizer, schedule(optimizer, updates, settings.warm_up, settings.cooling)),
    )
    trainer._get_train_sampler = lambda *_: torch.utils.data.SequentialSampler(batches)  # noqa: SLF001 (batches come in their own order)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.add_callback(GradientCheck())
    out.mkdir(parents=True, exist_ok=True)
    trainer.train(resume_from_checkpoint=_last_checkpoint(out))


def _arguments(settings: Settings, updates: int, out: Path) -> transformers.TrainingArguments:
    is_cuda = settings.device_type == "cuda"
    return transformers.TrainingArguments(
        output_dir=str(out),
        max_steps=updates,
        per_device_train_batch_size=1,  # a batch of ours
        gradient_accumulation_steps=settings.accumulate,
        save_steps=settings.keep_every,
        save_total_limit=1,
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=settings.seed,
        data_seed=settings.seed,
        use_cpu=not is_cuda,
        bf16=has_fast_bf16(settings.device_type),
        max_grad_norm=MAX_NORM,
        remove_unused_columns=False,
        dataloader_pin_memory=is_cuda,
        dataloader_num_workers=2 if is_cuda else settings.workers,
    )


def _last_checkpoint(out: Path) -> str | None:
    """The last checkpoint that is whole; the trainer's state is what is written last. Broken ones are removed."""
    whole, broken = list[Path](), list[Path]()
    for folder in out.glob("checkpoint-*"):
        (whole if (folder / STATE).is_file() else broken).append(folder)
    for folder in broken:
        shutil.rmtree(folder)
    return str(max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]))) if whole else None


def save_weights(model: Any, folder: Path) -> None:
    """All weights under the names that they have in memory, the perception heads' among them."""
    from safetensors.torch import save_model

    save_model(model, str(folder / WEIGHTS))


def load_weights(model: Any, folder: Path, device: str = "cpu") -> None:
    """Put weights that `save_weights` wrote into the model."""
    from safetensors.torch import load_model

    load_model(model, str(folder / WEIGHTS), device=device)


@contextmanager
def reporting_write_errors(out: Path) -> Iterator[None]:
    """Raise Unavailable where the disk is full or cannot be written."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Unavailable(f"{out}: cannot be written: {why}; the last checkpoint is kept") from error


def freeze(model: Any, frozen: tuple[str, ...]) -> None:
    """Take these parameters out of training. Raises BadInput where one of them fits no parameter."""
    parameters = {_bare_name(name): parameter for name, parameter in model.named_parameters()}
    for start in frozen:
        if not any(name.startswith(start) for name in parameters):
            raise BadInput(f"frozen: no parameter's name begins with {start!r}; one is {next(iter(parameters))!r}")
    for name, parameter in parameters.items():
        if name.startswith(frozen):
            parameter.requires_grad = False


def _bare_name(name: str) -> str:
    """A parameter's name as it is without adapters."""
    return name.removeprefix("base_model.model.")


def build_optimizer(stage: Stage) -> torch.optim.AdamW:
    """What changes the weights after every update's batches."""
    groups = parameter_groups(stage.model, stage.rates, stage.settings.weight_decay)
    return torch.optim.AdamW(groups, betas=BETAS)


def parameter_groups(model: Any, rates: Mapping[str, float], decay: float) -> list[dict[str, Any]]:
    """Parameters by rate, and by whether they decay: matrices do, biases and norms do not."""
    groups: dict[tuple[float, float], list[Any]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = next(rate for start, rate in rates.items() if _bare_name(name).startswith(start))
            groups.setdefault((rate, decay if parameter.ndim > 1 else 0.0), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "initial_lr": rate, "weight_decay": weight_decay}
        for (rate, weight_decay), parameters in groups.items()
    ]


def schedule(
    optimizer: torch.optim.Optimizer, updates: int, warm_up: int, cooling: int | None = None
) -> torch.optim.lr_scheduler.LambdaLR:
    """The rate goes up in a line, is level, and goes down in a line over the last `cooling` updates, by default a quarter.

    Begins with the second step of Transformers' schedule: the rate of the first is nothing.
    """
    decay = math.ceil(COOLING * updates) if cooling is None else cooling
    return transformers.get_wsd_schedule(
        optimizer, warm_up, decay, num_training_steps=updates + 1, decay_type="linear", last_epoch=0
    )


def has_fast_bf16(device_type: str) -> bool:
    """Does this processor multiply bfloat16 quickly? On others it is far slower than float32."""
    return device_type == "cuda" or bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 (nothing public tells)
