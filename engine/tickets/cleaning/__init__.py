"""A message as a help desk stored it -> the words its writer meant: no quotes, signatures, notices or markup."""
