"""README.md: the dataset card, with Hugging Face's header."""

from collections import Counter
from pathlib import Path

from pstgen.dataset.store import Dataset

HEADER = """---
pretty_name: Perception Stress Test
license: other
language: [en]
task_categories: [visual-question-answering]
tags: [vision-language, benchmark, language-priors, counterfactual, perception]
size_categories: [{size}]
configs:
  - config_name: default
    data_files:
      - split: test
        path: data/test-*.parquet
---
"""
BODY = """# Perception Stress Test

{pairs:,} pairs of images. The twins of a pair share one question, one set of options and one wording, and have
different answers; {groups:,} of the pairs are *groups*, with one image for each of the options. Whoever answers from the
words alone gives all twins the same answer, so gets at most one of them right, and **no pair**. The words suggest the
*lure*: it is right for the control twin and wrong for the stress twins.

**Report pair accuracy** (all twins right). Accuracy on stress twins alone can be gamed by always contradicting what one
would expect.

```python
from datasets import load_dataset

pst = load_dataset("pst/", split="test")
print(pst[0]["question"], pst[0]["options"], pst[0]["answer"])
```

| family | pairs | {frames} |
|---|---:|{dashes}
{table}

## What is proven

[certificate.html](certificate.html), which `pstgen verify` writes, says on one page what was tried, what it reached, what
is proven and what is not; `certificate.json` holds the figures. Check it by yourself:

```sh
pip install .                 # in a checkout of pstgen
pstgen verify pst/            # every check again
pstgen verify pst/ --rebuild  # builds the set again and compares every byte
```

## Where it comes from

{origin}

Settings, versions and the sha256 of every file are in `manifest.json`; every wording that was tried, and what each judge said of it, is in `scores.parquet`.

Judges that took part in the selection: {judges}.

## The funnel

| station | {families} | all |
|---|{family_dashes}---:|
{funnel}

{unknown:,} facts were unknown and never asked; {refused:,} records of the source were left out. Both are listed, with
the reason, in `manifest.json`.

## Limits

Labels are recomputed from annotations by `pstgen verify`; where annotators erred, so do they. Pairs say that language
alone does not win; they do not say that every question is hard to see.
"""


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md."""
    every = list(dataset.items())
    items = [item for item in every if item.role == "control"]
    twins = Counter(item.pair_id for item in every)
    families = sorted({item.family for item in items})
    frames = sorted({item.frame for item in items})
    by = Counter((item.family, item.frame) for item in items)
    table = "\n".join(
        f"| {family} | {sum(by[family, frame] for frame in frames)} | {' | '.join(str(by[family, f]) for f in frames)} |"
        for family in families
    )
    manifest = dataset.manifest
    text = BODY.format(
        pairs=len(items),
        groups=sum(n > 2 for n in twins.values()),
        frames=" | ".join(frames),
        dashes="---:|" * len(frames),
        table=table,
        origin="\n".join(f"- {name}: {value}" for name, value in manifest.origin.items()),
        judges=", ".join(manifest.judges),
        families=" | ".join(families),
        family_dashes="---:|" * len(families),
        funnel="\n".join(
            f"| {station} | {' | '.join(f'{by_name.get(f, 0):,}' if f in by_name else '' for f in families)} "
            f"| {sum(by_name.values()):,} |"
            for station, by_name in manifest.funnel.items()
        ),
        unknown=sum(sum(reasons.values()) for reasons in manifest.unknown.values()),
        refused=len(manifest.refused),
    )
    (folder / "README.md").write_text(HEADER.format(size=_size(len(every))) + text, encoding="utf-8")


def _size(items: int) -> str:
    """Hugging Face's size classes.

    >>> _size(300), _size(5000)
    ('n<1K', '1K<n<10K')
    """
    if items < 1000:
        return "n<1K"
    return "1K<n<10K" if items < 10_000 else "10K<n<100K" if items < 100_000 else "100K<n<1M"
