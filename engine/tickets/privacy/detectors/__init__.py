"""Finders of personal data: one kind a file, each a plain function from text to spans.

A finder knows nothing about placeholders, conversations or the other finders; :mod:`engine.tickets.privacy.masking`
runs them and settles who wins where two of them found the same words.
"""
