"""Damaged stores, odd values and broken bytes: each gives the right answer or a clear error, nothing else."""
