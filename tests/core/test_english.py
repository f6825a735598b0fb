"""English by inflect, without the seconds that its type checks cost."""

import json
import subprocess
import sys

from pstgen.core.english import grammar
from pstgen.scenes.world.plan import kinds

SLOW = """
import json, sys
import inflect  # as it is, with its type checks
engine = inflect.engine()
print(json.dumps([[engine.plural(word), engine.a(word), engine.number_to_words(n)]
                  for n, word in enumerate(json.load(sys.stdin))]))
"""
AROUND = """
import typeguard
before = typeguard.typechecked
from pstgen.core.english import grammar
import sys
assert "inflect" not in sys.modules
grammar()
assert typeguard.typechecked is before
"""
WORDS = [*kinds(), "person", "sheep", "knife", "hour", "MRI", "pair of scissors", "glass of wine"]


def test_words_are_the_same_as_inflect_gives_with_its_type_checks():
    slow = subprocess.run(
        [sys.executable, "-c", SLOW], input=json.dumps(WORDS), capture_output=True, text=True, check=True
    )
    quick = [[grammar().plural(word), grammar().a(word), grammar().number_to_words(n)] for n, word in enumerate(WORDS)]
    assert quick == json.loads(slow.stdout)
    assert ["people", "a person"] in [line[:2] for line in quick]


def test_it_is_imported_on_demand_and_once_and_other_libraries_keep_their_type_checks():
    subprocess.run([sys.executable, "-c", AROUND], check=True)
    assert grammar() is grammar()
