"""The modules beside the tests can be imported by name, whoever comes first."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
