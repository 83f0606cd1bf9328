"""Forms made from a bundle: what the evidence supports, and places for what the applicant has to write."""
