"""Looking at answers: figures, words, tables and reports of the same results.

`picture_*` return a whole figure with its words, `plot_*` draw one panel on axes and return them,
`describe_*` return the words alone.
"""

from neurosim.show import describe, plot

__all__ = ["describe", "plot"]
