"""From a discharge to a movement: junction, force, fatigue, twitches and spasms, anatomy."""
