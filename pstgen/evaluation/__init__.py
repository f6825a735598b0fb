"""`pstgen train-eval`: systems x metrics -> table. run.py is the road; the others are its stations."""
