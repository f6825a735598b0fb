"""Always gives the lure."""

from pstgen.core.records import Verdict


class Judge:
    name, revision, sees, durable = "foreign_judge", "1", False, False

    def key(self, item, /):
        return item.question

    def learn(self, examples, images, prior, /):
        return self

    def answer(self, items, /):
        for item in items:
            logprobs = tuple(-0.1 if option == item.lure else -3.0 for option in item.options)
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=logprobs)


def open(config, /):
    return [Judge()]
