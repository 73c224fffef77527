"""From an answer's outcomes to a result: compare with the reference, find the mistake behind what differs."""
