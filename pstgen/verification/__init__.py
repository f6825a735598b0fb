"""What doubts a finished dataset: checks, attackers, probes, people."""
