"""Facts and charges added up by UTC day, so that pages and the API need not read every call."""
