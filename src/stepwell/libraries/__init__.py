"""Adapters around libraries of types, such as pydantic and numpy: none is imported before a type of it is met."""
