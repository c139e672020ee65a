"""One day: coffees, a tense morning, sport and sweat, a calm evening, sleep.

Question: which hour twitches most, and what of the day moved it, in several people?
You should see: in the calf, whose twitches start in cell bodies, the tense morning brings most of
them, and coffee some; in the sole, where axon terminals fire, the same morning is the calmest time.
What stress, sleep and coffee do to a motor neuron has never been measured in twitches.
Takes about 20 seconds. Add --show to open the figure.
"""

from _figures import finish, panels

import neurosim as ns
from neurosim.view.course import busiest_hour, origin_at
from neurosim.view.panels import log_rate_axis
from neurosim.view.style import BLUE, GREEN, PURPLE, VERMILION, house_style, muscle_words

LOOKS = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "D"), (PURPLE, "^"))  # one for each person
day = ns.load_scenario("a_day")
OTHERWISE = {
    "no coffee": day.course.without_events("caffeine_mg"),
    "no stress": day.course.without_events("stress", "anxiety"),
    "no effort": day.course.without_events("contraction"),
    "salted drink": day.course.replace_events("plain_water_l", "rehydration_l"),
}
scenarios = [day, *(day.replace(name=name, course=course) for name, course in OTHERWISE.items())]
runs, ratios, text = {}, {}, "What the day's twitches would be times, with"
for muscle in ("foot_sole", "calf"):
    runs[muscle] = [ns.simulate(day, person=p, muscle=muscle) for p in range(len(LOOKS))]
    rate = ns.replicate(scenarios, len(LOOKS), muscle=muscle).expected_per_min
    ratios[muscle] = rate[1:] / rate[0]
    for p, run in enumerate(runs[muscle]):
        hour, origin = busiest_hour(run)[0], origin_at(run, int(run.per_min.argmax()))
        changes = zip(OTHERWISE, ratios[muscle][:, p], strict=True)
        changes = ", ".join(f"{name} {ratio:.2f}" for name, ratio in changes)
        text += f"\n{muscle} {p}: {changes} ({rate[0, p]:.2g} a minute, most {hour}, {origin})"


@house_style
def draw():
    """Draw the rate through the day, and the day's total without each part of it."""
    figure, axes = panels(2, 2, "A day: when it twitches, and why", width_ratios=[3, 2])
    for (left, right), muscle in zip(axes, runs, strict=True):
        for p, (run, (colour, mark)) in enumerate(zip(runs[muscle], LOOKS, strict=True)):
            look = {"marker": mark, "color": colour, "markevery": (3 * p, 12)}
            left.plot(6.5 + run.trajectory.at_s / 3600.0, run.per_min, **look)
            x = [i + 0.08 * (p - 1.5) for i in range(len(OTHERWISE))]
            right.plot(x, ratios[muscle][:, p], mark, color=colour, label=f"person {p}")
        low, high = (f([f(run.per_min) for run in runs[muscle]]) for f in (min, max))
        log_rate_axis(left, low, high, None, low)
        left.set(title=muscle_words(muscle), ylabel="twitches per minute", xlim=(6.5, 30.5))
        left.set_xticks(range(8, 31, 4), [f"{hour % 24}:00" for hour in range(8, 31, 4)])
        right.set(title="times as many in the whole day (1: as many)", ylim=(0.0, 1.8))
        right.set_xticks(range(len(OTHERWISE)), list(OTHERWISE))
    axes[0, 1].legend(loc="lower right", ncols=2)
    return figure


text += """\nThe salted drink brings potassium, which terminals answer to; stress takes it away.
Cell bodies are alike in all these people: the model lets only axons and their terminals differ."""
finish("a_day_in_the_life", draw(), text)
