"""Other people's benchmarks, VQA v2 and GQA: their official files, and questions of our own in their formats."""
