"""What the muscle makes of a discharge: named muscles, force, and twitches to count."""
