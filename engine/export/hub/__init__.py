"""The model hub: sending an export there with a person's own token, and fetching an adapter from there."""
