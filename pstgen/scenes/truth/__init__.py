"""What is true of a scene, three-valued: pure functions that answer, or say why the answer is unknown."""
