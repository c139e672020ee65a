"""Application: sliders, lessons, the mystery patient, the lab in a browser."""
