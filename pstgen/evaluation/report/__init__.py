"""The report of train-eval: a page, plots, overlays, model cards."""
