"""Three-valued looks at a scene: pure functions that answer, or say why they cannot."""
