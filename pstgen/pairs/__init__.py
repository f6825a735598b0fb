"""From facts to pairs: which two images make the words mislead, and which pairs stay."""
