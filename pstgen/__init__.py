"""Build, verify and learn from Perception Stress Tests."""

__version__ = "0.1.0"
