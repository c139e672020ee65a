"""Application: the model held against published numbers, its misses listed."""
