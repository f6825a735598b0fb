"""Any two scenes in which a question has two answers, as they pass."""

from pstgen.pairs.context import candidate


class Maker:
    def __init__(self, context):
        self.context, self.seen = context, {}

    def wants(self, /):
        return True

    def look(self, scene, facts, /):
        return list(facts)

    def take(self, found, /):
        for fact in found:
            added = self.context.associations(fact.question)
            first = self.seen.setdefault(fact.question, fact)
            lure = self.context.lure(added)
            if lure in {first.truth.answer, fact.truth.answer} and first.truth.answer != fact.truth.answer:
                control, stress = (first, fact) if first.truth.answer == lure else (fact, first)
                del self.seen[fact.question]
                yield candidate(control, [stress], added, "foreign_twin")

    def rest(self, /):
        return iter(())


def open(context, /):
    return Maker(context)
