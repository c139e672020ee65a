"""Every remedy on every cause.

Question: what stops twitching, and does it depend on why the muscle twitches?
You should see: a diet helps only whom something lacks, water hardly anybody, calm only who is
anxious (in somebody stressed it takes adrenaline's calming potassium away, too); contracting the
muscle and sodium-channel blockers calm the axon whatever the cause, but not a motor neuron that
serotonin drives, nor endings without potassium channels. A cell without a word: nothing changes.
Takes about 15 seconds. Add --show to open the figure.
"""

from _figures import finish

import neurosim as ns
from neurosim.article.matrix import remedy_matrix, remedy_scenarios
from neurosim.article.phrases import describe_remedies
from neurosim.article.plot import picture_remedies
from neurosim.simulation.long_run import long_run_rates

PEOPLE = 6

base = ns.load_scenario("normal")
scenarios = remedy_scenarios(base)
rates = dict(zip(scenarios, long_run_rates(tuple(scenarios.values()), PEOPLE), strict=True))
matrix = remedy_matrix(base, rates)
finish("remedies", picture_remedies(matrix), describe_remedies(matrix))
