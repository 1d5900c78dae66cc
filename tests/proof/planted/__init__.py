"""Mistakes that could be made, planted one at a time: a proof that does not find them proves nothing."""
