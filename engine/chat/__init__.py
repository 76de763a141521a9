"""Answering: adapters in slots over one base, batched decoding, the playground."""
