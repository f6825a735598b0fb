"""Build from annotations of your own in COCO's format: `python own_coco_data.py instances.json pst/`.

The pictures lie beside the file that names them. A fifth of them only feeds the prior; `prior_annotations=` names another
file for that. Captions (captions_*.json beside instances_*.json) let questions ask about small and absent things too.
"""

import sys

import pstgen
from pstgen.core.records import BadInput

annotations, out = sys.argv[1:]
try:
    report = pstgen.build(source="coco", annotations=annotations, vlm="none", out=out)
except BadInput as error:
    sys.exit(f"{error}")
for station, by_family in report.stations.items():
    print(f"{by_family.total():8,} {station}")
for refusal in report.refused.records:
    print(f"left out: {refusal.file}, {refusal.record}: {refusal.reason}")
