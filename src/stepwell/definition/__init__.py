"""What the user said, as data: nothing here is checked or resolved yet."""
