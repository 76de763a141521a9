"""Answers for other programs: requests in the form of OpenAI's API, who may make them, and how many at a time."""
