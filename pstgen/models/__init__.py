"""Models of others and of our own: judges, encoders, detectors, and what runs, watches and measures them."""
