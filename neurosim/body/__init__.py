"""What a person brings: the body, what it changes in nerve and muscle, and its units."""
