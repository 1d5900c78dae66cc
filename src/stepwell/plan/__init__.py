"""From what the user said to what can be run: resolved, checked, frozen, fingerprinted."""
