"""What Ollama needs beside a GGUF: a Modelfile with the chat template in its own language."""
