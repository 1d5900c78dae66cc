"""What a step prints and logs, told apart by attempt: the present attempt, streams that look at it, log records."""
