"""The window: pages of Gradio over :class:`engine.studio.Studio`. Nothing here knows a model or a file format."""
