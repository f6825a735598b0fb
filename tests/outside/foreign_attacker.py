"""Takes the first option."""


def attack(train, test, resources, /):
    return [tuple(-float(n) for n in range(len(sample.options))) for sample in test]
