"""Target plans: drafted from suggestions, changed line by line, submitted, approved by a second person, published."""
