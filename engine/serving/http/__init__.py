"""The endpoint on the web: its routes as an ASGI app, which the window and ``python -m engine serve`` both put up."""
