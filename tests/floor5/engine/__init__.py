"""The engine: the rules one by one, what is written down of them, and in which order things are done."""
