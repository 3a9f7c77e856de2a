"""What a call costs in interpreted instructions, held to a committed baseline: repeatable where time is not."""
