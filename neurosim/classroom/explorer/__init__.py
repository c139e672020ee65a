"""Sliders: move a body, see threshold, discharges, force and rate answer at once."""
