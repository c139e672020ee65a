"""Instruments on the model and their files: excitability test, fit of a person, electrodes."""
