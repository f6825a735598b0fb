import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])

from tiny_vlms import main  # noqa: E402

main(sys.argv[1:])
