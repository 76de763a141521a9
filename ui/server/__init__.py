"""Serving the window: Gradio's app behind the doors, and how the browser gets to it."""
