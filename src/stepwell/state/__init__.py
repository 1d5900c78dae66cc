"""What follows from the facts of a run so far: the state, and the fold that makes it."""
