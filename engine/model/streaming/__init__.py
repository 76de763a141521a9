"""A base whose frozen layers wait in the computer's memory and pass through a few places on the GPU."""
