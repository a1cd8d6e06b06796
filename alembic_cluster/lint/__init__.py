"""Rules that look at what revisions would send, and at the revisions themselves."""
