"""The built-in world: a plan says what stands where, in metres; a drawing turns it into pixels and exact annotations."""
