"""Target plans on paper: the book that HR negotiates with, and the letter that each unit signs."""
