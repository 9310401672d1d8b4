"""E-mails: rendered when queued, sent by the worker, kept as proof."""
