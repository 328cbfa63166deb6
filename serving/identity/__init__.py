"""Who somebody is: people and their passwords, keys of programs, sessions, and sign-in by an identity provider."""
