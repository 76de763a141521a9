"""HTML of mails and help desks -> text."""
