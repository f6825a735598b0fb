"""What everything else speaks: progress, scratch folders, worker processes."""

__version__ = "0.1.0"
