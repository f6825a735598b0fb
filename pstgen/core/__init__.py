"""What everything else speaks: progress, scratch folders, worker processes."""
