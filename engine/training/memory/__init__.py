"""What a run needs of memory and time, before it begins; and the mode that fits."""
