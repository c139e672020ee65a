"""What a membrane makes of its fluids: axon, soma, junction."""
