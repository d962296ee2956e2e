"""Jobs: what requesters asked for, the coordinator accepted and the chain funded; their files and logs."""
