"""Conditions as text: `when="steps.build.output.rows > 0"`, evaluated without any way into Python."""
