"""Payment schedules."""
