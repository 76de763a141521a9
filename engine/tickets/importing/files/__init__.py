"""Files of any kind -> records: JSON objects, rows of tables, XML elements. Knows no help desk."""
