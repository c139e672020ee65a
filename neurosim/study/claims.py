"""What the popular article claims, one record each, in our own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """One claim of the article.

    Attributes
    ----------
    claim : str
        The claim, paraphrased.
    factor : str
        Name of the scenario that puts it to the model, or of the factor if there is none.
    group : str
        ``"cause"`` or ``"remedy"``.
    expected : str
        ``"more"`` or ``"fewer"`` twitches, as the article says.
    combination : tuple of str
        Scenarios that the factor often comes with; asked when it does nothing alone.
    outside : str
        Why the model cannot judge it; empty if it can.
    """

    claim: str
    factor: str
    group: str = "cause"
    expected: str = "more"
    combination: tuple[str, ...] = ()
    outside: str = ""


_LATER = "not modelled in this version"
_TOLD = "the model is told which places are ill, so that they twitch is no finding"

CLAIMS = (
    Claim("Too little calcium in the blood makes muscles twitch", "low_calcium"),
    Claim("Too much calcium in the blood makes muscles twitch", "high_calcium"),
    Claim(
        "Too little magnesium in the blood makes muscles twitch",
        "low_magnesium",
        combination=("low_calcium",),
    ),
    Claim("Too much magnesium in the blood makes muscles twitch", "high_magnesium"),
    Claim(
        "Too little potassium in the blood makes muscles twitch",
        "low_potassium",
        combination=("low_magnesium",),
    ),
    Claim("Too much potassium in the blood makes muscles twitch", "high_potassium"),
    Claim("Too little sodium in the blood makes muscles twitch", "low_sodium"),
    Claim("Too much sodium in the blood makes muscles twitch", "high_sodium"),
    Claim("Caffeine makes muscles twitch", "caffeine", combination=("stress",)),
    Claim("Tiring a muscle makes it twitch", "fatigue", combination=("caffeine", "stress")),
    Claim("Stress makes muscles twitch", "stress", combination=("caffeine",)),
    Claim("Contracting the muscle stops its twitching", "fatigue", "remedy", "fewer"),
    Claim("Dehydration makes muscles twitch", "dehydration", outside=_LATER),
    Claim("Medication can make muscles twitch", "medication", outside=_LATER),
    Claim("A pinched nerve makes muscles twitch", "pinched_nerve", outside=_TOLD),
    Claim("Damaged nerve cells make muscles twitch", "nerve_damage", outside=_LATER),
    Claim("Lack of sleep makes muscles twitch", "sleep_loss", outside=_LATER),
    Claim("Anxiety makes muscles twitch", "anxiety", outside=_LATER),
    Claim("Poor nutrition makes muscles twitch", "poor_nutrition", outside=_LATER),
    Claim("Serotonin syndrome makes muscles twitch", "serotonin_syndrome", outside=_LATER),
    Claim("ALS makes muscles twitch", "als", outside=_TOLD),
    Claim("Isaacs' syndrome makes muscles twitch", "isaacs", outside=_TOLD),
    Claim("Kidney disease makes muscles twitch", "kidney_disease", outside=_LATER),
    Claim("Stretching stops twitching", "stretching", "remedy", "fewer", outside=_LATER),
    Claim("Medication stops twitching", "calming_medication", "remedy", "fewer", outside=_LATER),
    Claim("Diet and water stop twitching", "diet_and_water", "remedy", "fewer", outside=_LATER),
    Claim("Calm activity stops twitching", "calm_activity", "remedy", "fewer", outside=_LATER),
)
