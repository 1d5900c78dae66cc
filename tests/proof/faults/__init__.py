"""A disk that fails at every operation, in every way that disks do, and what must be true of the runs on it."""
