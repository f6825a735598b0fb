"""questions.txt: every question, once."""


def write(dataset, folder, /):
    (folder / "questions.txt").write_text("\n".join(sorted({item.question for item in dataset.items()})))
