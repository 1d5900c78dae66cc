"""The stores: one contract for all, and what is SQLite's own."""
