"""The eye: a small VLM of our own, trained on the built-in world, and a language model that has only heard of it."""
