"""Whole runs as golden lists of facts, each a sentence; the same on a store in memory and on SQLite."""
