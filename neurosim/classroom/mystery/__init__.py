"""The mystery patient: a game of diagnosis by ordered tests."""
