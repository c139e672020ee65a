"""From a discharge to a movement: junction, force, twitches and spasms, anatomy."""
