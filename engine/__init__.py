"""Ticket Tuner without its window: tickets, model, training, chat and export behind one Studio."""
