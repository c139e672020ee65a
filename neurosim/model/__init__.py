"""From a blood value to a twitch: frozen objects and pure functions; no files, no figures."""
