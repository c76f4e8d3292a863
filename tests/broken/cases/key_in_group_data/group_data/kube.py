# What all hosts of the group share.
vm_memory = "4 gigs"
