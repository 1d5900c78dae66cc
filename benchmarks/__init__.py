"""How fast Stepwell is: each workload beside its physical limit and its peers, in the same run."""
