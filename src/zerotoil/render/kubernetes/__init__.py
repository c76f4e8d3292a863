"""Objects that zerotoil itself puts into a cluster. Pure."""
