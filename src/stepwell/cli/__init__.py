"""The command `stepwell`: the terminal's door to the house."""
