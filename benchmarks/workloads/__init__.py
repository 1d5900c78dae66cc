"""The workloads W1 to W12: one file each, with Stepwell and the limits that it is measured against."""
