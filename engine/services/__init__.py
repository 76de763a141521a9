"""What the window and the command line ask for, a file for each kind of thing; Studio puts them together."""
