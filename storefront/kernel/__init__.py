"""Pure Python beneath everything else: money, civil time, states, events, refusals.

Nothing here reads the clock, the environment, a file or a database.
"""
