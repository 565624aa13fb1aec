"""What the measurements mean: likelihood ratio, verdict, named edits, the finding."""
