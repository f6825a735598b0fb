"""What a run would cost, from a few steps and a few answers of everything that it does."""
