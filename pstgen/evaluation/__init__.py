"""`pstgen train-eval` after the training: systems answer, metrics measure, and what was measured is compared and reported."""
