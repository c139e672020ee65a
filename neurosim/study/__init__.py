"""Asking questions: scenarios, people, claims, verdicts."""
