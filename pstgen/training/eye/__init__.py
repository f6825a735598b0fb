"""What is the eye's own: measuring what it sees, and its card. It is trained as every other model (world_models)."""
