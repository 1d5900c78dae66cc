"""A map of a thousand items whose processes are killed, all of them at once, at whatever instant it is."""
