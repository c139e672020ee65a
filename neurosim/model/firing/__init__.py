"""Where discharges start: ectopic sites, the hazard law, the exact sampler, disease."""
