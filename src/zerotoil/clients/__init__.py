"""The only I/O of the product: one library or program each. They decide nothing."""
