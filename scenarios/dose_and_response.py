"""Dose and response: every continuous factor, from health to severe.

Question: how do the twitches of the same people change as each factor grows, alone?
You should see: calcium, magnesium and sodium fall steadily as they rise; potassium has a hump;
over-breathing, lack of magnesium and diseased nerves rise; caffeine is flat, since cell bodies
hardly ever twitch the sole; stress falls, by adrenaline's potassium. Nobody has measured such
curves: believe directions only. Takes about 25 s. Add --show to open the figure.
"""

import numpy as np
from _figures import finish, panels

import neurosim as ns
from neurosim.model.body.blood import factor_label
from neurosim.model.body.fields import FIELDS
from neurosim.simulation.long_run import long_run_rates
from neurosim.simulation.ratio import paired_ratio
from neurosim.view.describe_ratio import ratio_band
from neurosim.view.style import BLUE, GREY, house_style, label_decades

PEOPLE, LEAST, MOST, ENDS = 6, 1e-3, 1e3, ("low", "value", "high")
DOSES = {
    "sodium_mmol_l": (120, 130, 140, 150, 160), "potassium_mmol_l": (2.5, 3.4, 4.2, 5.5, 6.5),
    "ionised_calcium_mmol_l": (0.8, 1, 1.2, 1.5), "ionised_magnesium_mmol_l": (0.2, 0.4, 0.55, 2),
    "limb_temperature_c": (28, 30, 33, 35, 37), "paco2_mmhg": (20, 30, 40, 50, 60),
    "plasma_caffeine_umol_l": (0, 25, 50, 100), "mass_loss_percent": (0, 1, 2, 4, 6),
    "sleep_debt_h": (0, 4, 8), **dict.fromkeys(("stress", "anxiety", "fatigue", "serotonin_excess",
        "magnesium_depletion", "poor_nutrition", "kidney_disease", "nerve_damage", "als", "isaacs",
        "pinched_nerve", "beta2_agonist", "diuretic", "sodium_channel_blocker"),
        (0, 0.25, 0.5, 0.75, 1)),
}  # fmt: skip
scenarios = [ns.Scenario(f"{f} {v:g}", body=ns.Body(**{f: v})) for f in DOSES for v in DOSES[f]]
rates = long_run_rates([ns.load_scenario("normal"), *scenarios], PEOPLE)
ratio = {s.name: paired_ratio(r, rates[0]) for s, r in zip(scenarios, rates[1:], strict=True)}


@house_style
def draw():
    """Draw the ratio against health for each factor, with its interval over people."""
    figure, axes = panels(4, 6, f"Dose and response, {PEOPLE} people", sharey=True)
    for ax, (name, doses) in zip(axes.flat, DOSES.items(), strict=False):
        f, ratios = FIELDS[name], [ratio[f"{name} {v:g}"] for v in doses]
        low, mean, high = np.clip([[getattr(r, k) for r in ratios] for k in ENDS], LEAST, MOST)
        ax.fill_between(doses, low, high, color="#CCE0F2", lw=0)
        ax.plot(doses, mean, "o-", color=BLUE)
        ax.axhline(1.0, color=GREY, lw=1, ls=":")
        ax.vlines([f.low, f.high], LEAST, MOST, color=GREY, ls=":")
        ax.set(yscale="log", ylim=(LEAST, MOST), xlabel=f.unit or "0 to 1")
        ax.set_title(factor_label(name).replace("body mass", "mass"), fontsize=11.5)
        label_decades(ax.yaxis)
    axes.flat[-1].set_axis_off()
    figure.supylabel("twitches against the same people in health, times")
    return figure


lines = [f"{PEOPLE} people against themselves in health, in the sole of the foot:"]
for f, doses in DOSES.items():
    bands = ", ".join(f"{v:g}: {ratio_band(ratio[f'{f} {v:g}'].value)}" for v in doses)
    lines.append(f"{factor_label(f)} {FIELDS[f].unit}".strip() + f": {bands}.")
finish("dose_and_response", draw(), "\n".join(lines))
