"""Who may do what: principals, their grants, and one rule for each address."""
