"""The dataset on disk: rows in parquet, scores, manifest, hashes (DESIGN §8)."""
