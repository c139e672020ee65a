"""When to worry: half a year of diaries of people who twitch, and which signs tell early ALS.

Question: twitching that persists, spreads or gets worse: how well does each tell the start of ALS
from benign twitching, a pinched nerve and anxiety, and what does the clinic add?
You should see: it persists in nearly all with benign twitching and with early ALS; it spreads in
most with early ALS and in few others, gets worse in nearly all with ALS and some of the others;
hardly ever a sign and a loss at the clinic without ALS. No sign is no proof of health.
Takes about a minute. Add --show to open the figure.
"""

from _figures import finish

from neurosim.article import alarms
from neurosim.article.alarms_plot import picture_alarms

PEOPLE, WEEKS = 16, 26

if __name__ == "__main__":
    result = alarms.run_alarms(PEOPLE, WEEKS, cores=2)
    finish(
        "when_to_worry",
        picture_alarms(result),
        f"{result}\nA week's dot: the larger, the more twitches.",
    )
