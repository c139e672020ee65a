"""From a scenario to a result: one person, many people, cohorts, sensitivity."""
