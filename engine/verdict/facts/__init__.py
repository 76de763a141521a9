"""Facts as they stand in a text: amounts, times, links, addresses, promises and names; and which a data set teaches."""
