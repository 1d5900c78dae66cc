"""The composition root: the only room that puts journals, executors and codecs together."""
