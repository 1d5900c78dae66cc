"""Values as bytes of their declared type, and back."""
