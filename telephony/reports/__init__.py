"""What calls came to: the pages of usage and costs, and what is to be expected of calls that are yet to come."""
