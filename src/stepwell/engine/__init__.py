"""What runs a plan: decide purely, act at the edge."""
