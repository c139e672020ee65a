"""Every claim of a popular article about twitching.

Question: the article lists causes and remedies of muscle twitching. Which claims does the
model support, which does it oppose, and about which can it say nothing?
You should see: one line for each claim with its outcome in words, and a figure with the
twitches of people in each state against the same people in health. With so few people
the intervals are wide; `neurosim article` takes more people and says what each verdict
leans on.
Takes about a minute. Add --show to open the figure.
"""

from _figures import finish

from neurosim.article.phrases import describe_verdicts
from neurosim.article.plot import picture_verdicts
from neurosim.article.trial import run_article

PEOPLE = 6

article = run_article(PEOPLE, sensitivity=False, diaries=3)
finish("the_article", picture_verdicts(article), describe_verdicts(article))
