"""All voices that a workspace can choose from: those on this machine, and those of its connections."""
