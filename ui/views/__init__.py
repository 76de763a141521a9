"""What the engine says -> what the window shows: pure functions, tested without Gradio.

Everything that returns HTML returns :class:`markupsafe.Markup`, built with ``Markup(...).format(...)``, which escapes
whatever it fills in. So text from tickets and models can only ever arrive as text.
"""
