"""One file, one metric. A metric *measures*."""
