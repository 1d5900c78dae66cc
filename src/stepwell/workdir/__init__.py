"""What a run leaves on disk beside its record: its folder, its log files."""
