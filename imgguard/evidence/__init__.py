"""Evidence: pictures and pages from which a person can see for themselves what a finding rests on."""
