"""The motor axon: its equations, the loops that run them, people's axons, the chain of nodes."""
