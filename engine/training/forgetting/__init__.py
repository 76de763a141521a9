"""Whether a run costs the model what it knew before: loss on general texts and plain instructions, and an alarm."""
