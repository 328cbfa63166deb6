"""How the early warning is learned: labels, one model a fiscal year, the champion, and each detector's own record."""
