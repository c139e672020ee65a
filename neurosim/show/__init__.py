"""Looking at answers: figures, words, tables and reports of the same results."""

from neurosim.show import describe, plot

__all__ = ["describe", "plot"]
