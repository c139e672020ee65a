"""What every room stands on: errors, parameters and their sources, caches, files."""
