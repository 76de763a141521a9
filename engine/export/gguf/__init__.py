"""llama.cpp's file format: a model, its vocabulary and template, or a LoRA adapter, as one .gguf file."""
