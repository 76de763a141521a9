"""A run on several GPUs: processes of its own, what they tell each other, and a base split among them."""
