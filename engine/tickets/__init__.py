"""An export file -> a clean, private, split data set. Knows nothing of models, training or windows."""
