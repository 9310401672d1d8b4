"""Flask and SQLAlchemy glue: the only place that knows how the shop is run."""
