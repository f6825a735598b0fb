"""Published benchmarks, VQA v2 and GQA: their official files, and our own questions in their formats."""
