"""The built-in world: a plan says what stands where, in metres; a drawing makes pixels and exact annotations of it."""
