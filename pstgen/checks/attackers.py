"""Can anybody win by the words alone, who is trained on the finished set itself?"""

from dataclasses import asdict

from pstgen import attack, cases
from pstgen.config import VerifyConfig
from pstgen.records import Finding
from pstgen.store import Dataset


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Every attacker is trained and asked in folds grouped by pair and by scene; none may pass `config.most_over`."""
    told = [cases.of(item) for item in dataset.items()]
    figures: dict[str, float] = {}
    problems, lines = list[str](), list[str]()
    for reached in attack.run(told, config):
        name = reached.attacker
        figures |= {
            f"{name}/{what}": figure for what, figure in asdict(reached).items() if what not in {"attacker", "seconds"}
        }
        lines.append(f"{name} {reached.items:.1%} [{reached.items_low:.1%}, {reached.items_high:.1%}]")
        if reached.items_high > reached.ceiling + config.most_over:
            problems.append(
                f"{name} reaches {reached.items:.1%} of the items, at most {reached.items_high:.1%}; "
                f"words alone should reach {reached.ceiling:.1%}"
            )
        if reached.pairs > 0:
            problems.append(f"{name} wins {reached.pairs:.2%} of the pairs, so the words of twins are not the same")
    return Finding(
        check="attackers",
        summary="items by words alone: " + ", ".join(lines),
        problems=tuple(problems),
        figures=figures,
    )
