"""What every room stands on: errors, numbers with their sources, caches, files; no physiology."""
