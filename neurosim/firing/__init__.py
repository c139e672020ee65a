"""When it fires by itself: sites, hazard, discharges."""
