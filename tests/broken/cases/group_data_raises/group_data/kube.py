vm_memory = GIB * 4
