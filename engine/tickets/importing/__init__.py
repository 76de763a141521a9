"""Files of any shape -> conversations: what they are, how they are read, and readers for the help desks."""
