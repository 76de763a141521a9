"""What the tab 'Tickets' shows, as pure functions, tested without Gradio."""
