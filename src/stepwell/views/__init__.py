"""Folds for people: what a run's facts look like to whoever reads them."""
