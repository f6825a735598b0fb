"""Build a stress test on the built-in world, verify it, and look at one pair: `python build_on_the_world.py pst/`."""

import sys

import pstgen

out = sys.argv[1]
report = pstgen.build(source="world", scenes=300, candidates=40, lm="none", vlm="none", out=out)
print("pairs kept, by family:", dict(report.stations["kept"]))

for finding in pstgen.verify(out):
    print(f"{finding.check:14} {finding.state:10} {finding.summary}")

pair = next(pstgen.load(out).pairs())
print(pair.question, pair.options)
print("the words suggest", pair.lure, "- right for", pair.control.scene_id, "- wrong for", pair.stress[0].scene_id)
