"""What recurs, what fails, what ends; each subscription as staff see it."""
