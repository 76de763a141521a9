"""The tab 'Tickets'."""
