"""Processes that are killed at every named instant, and what must be true of the store afterwards."""
