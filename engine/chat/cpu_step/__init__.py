"""One decoding step on the processor, in machine code made for it and for the model's shape."""
