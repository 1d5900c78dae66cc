"""Runs and stores of many: what is quick stays quick, what is bounded stays bounded, and nobody is in the way."""
