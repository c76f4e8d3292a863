"""Reading a lab that exists and writing the inventory that describes it. Nothing here writes to a server or a guest."""
