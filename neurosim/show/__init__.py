"""Looking at answers: figures, words, tables and reports of the same results.

Importing it gives `Result` its two views, so that imports point one way.
"""

from neurosim.show import describe, plot
from neurosim.study.run import VIEWS

VIEWS["plot"] = plot.plot_chain
VIEWS["describe"] = describe.describe
