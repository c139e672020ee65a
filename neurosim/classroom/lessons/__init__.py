"""Lessons: written as Markdown, built, run, printed as worksheets with their key."""
