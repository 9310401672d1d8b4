"""What is overdue, for staff: the list, one case, a deferral granted in writing."""
