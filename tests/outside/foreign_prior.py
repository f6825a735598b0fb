"""Whatever was counted: of kinds with an even number of letters one expects the first answer, of others the last one."""

from pstgen.core.records import Association
from pstgen.questions.priors import Expected


class Fitted:
    def expect(self, question, answers, /):
        weights = [2 if self._expects(question, answers, answer) else 1 for answer in answers]
        return tuple(weight / sum(weights) for weight in weights)

    def associate(self, question, answers, /):
        added = Association(0.7, 0.5, 0.9, 100)
        less = Association(-0.7, -0.9, -0.5, 100)
        return tuple(added if self._expects(question, answers, answer) else less for answer in answers)

    def strongest(self, least, /):
        question, answers = ("foreign_family", "alone", ("sheep",)), ("yes", "no")
        return [Expected(question, "no", least, least, self.associate(question, answers)[1])]

    def _expects(self, question, answers, answer, /):
        return answer == answers[0 if len(question[2][0]) % 2 == 0 else -1]


def fit(tally, /):
    return Fitted()
