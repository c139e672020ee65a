"""Instruments on the model and their files: the excitability test, the fit of a person, electrodes."""
