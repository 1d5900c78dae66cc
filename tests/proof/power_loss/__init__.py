"""Power cuts, simulated at every write and sync that a store makes, and what must be true of what is left."""
