"""The manual is run: its code, its commands, its tables, its pictures, and the site that is built from it."""
