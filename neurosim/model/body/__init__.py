"""What a person brings, and which parameter of which tissue it changes."""
