"""One decoding step recorded as a CUDA graph, and the kernels that it is made of."""
