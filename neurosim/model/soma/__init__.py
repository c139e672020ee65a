"""The motor neuron's cell body and its pool: plateaus, cramps, firing under drive."""
